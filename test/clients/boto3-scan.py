"""Has an image scanned and waits for it as boto3 does.

usage: boto3-scan.py ENDPOINT REPOSITORY TAG
"""

import json
import sys

import boto3


def main(endpoint, repository, tag):
    ecr = boto3.client(
        "ecr",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    )
    image = dict(repositoryName=repository, imageId={"imageTag": tag})
    started = ecr.start_image_scan(**image)["imageScanStatus"]["status"]
    assert started == "IN_PROGRESS", started
    ecr.get_waiter("image_scan_complete").wait(**image, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    pages = ecr.get_paginator("describe_image_scan_findings").paginate(**image, PaginationConfig={"PageSize": 2})
    found = pages.build_full_result()["imageScanFindings"]
    names = [finding["name"] for finding in found["findings"]]
    print(json.dumps({"names": names, "completed": found.get("imageScanCompletedAt") is not None}))


if __name__ == "__main__":
    main(*sys.argv[1:])

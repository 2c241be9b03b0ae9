"""Has a registry sign what is pushed, as boto3 asks for it, and prints what is answered.

usage: boto3-signing.py ENDPOINT configure PROFILE_ARN FILTER
       boto3-signing.py ENDPOINT await REPOSITORY TAG
       boto3-signing.py ENDPOINT remove
"""

import json
import sys
import time

import boto3
from botocore.exceptions import ClientError


def configure(ecr, arn, filter):
    try:
        ecr.get_signing_configuration()
        raise AssertionError("there was one")
    except ecr.exceptions.SigningConfigurationNotFoundException as error:
        before = error.response["Error"]["Code"]
    try:
        ecr.put_signing_configuration(signingConfiguration={"rules": [{"signingProfileArn": arn + "none"}]})
        raise AssertionError("a profile that does not exist was taken")
    except ClientError as error:
        refused = error.response["Error"]["Code"]
    rule = {"signingProfileArn": arn, "repositoryFilters": [{"filter": filter, "filterType": "WILDCARD_MATCH"}]}
    put = ecr.put_signing_configuration(signingConfiguration={"rules": [rule]})["signingConfiguration"]
    answer = ecr.get_signing_configuration()
    assert put == answer["signingConfiguration"], put
    return {"before": before, "refused": refused, "registry": answer["registryId"], "rules": put["rules"]}


def await_signed(ecr, repository, tag):
    for _ in range(600):
        answer = ecr.describe_image_signing_status(repositoryName=repository, imageId={"imageTag": tag})
        (status,) = answer["signingStatuses"]
        if status["status"] != "IN_PROGRESS":
            break
        time.sleep(0.1)
    referrers = ecr.list_image_referrers(
        repositoryName=repository,
        subjectId={"imageDigest": answer["imageId"]["imageDigest"]},
        filter={"artifactTypes": ["application/vnd.cncf.notary.signature"]},
    )["referrers"]
    return {"status": status, "image": answer["imageId"], "signatures": len(referrers)}


def remove(ecr):
    rules = ecr.delete_signing_configuration()["signingConfiguration"]["rules"]
    try:
        ecr.delete_signing_configuration()
        raise AssertionError("it was deleted twice")
    except ecr.exceptions.SigningConfigurationNotFoundException as error:
        return {"rules": rules, "after": error.response["Error"]["Code"]}


def main(endpoint, action, *words):
    ecr = boto3.client(
        "ecr",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    )
    print(json.dumps({"configure": configure, "await": await_signed, "remove": remove}[action](ecr, *words)))


if __name__ == "__main__":
    main(*sys.argv[1:])

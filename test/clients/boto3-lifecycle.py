"""Puts, previews and deletes a lifecycle policy of a repository that has images tagged v1, v2 and v3.

usage: boto3-lifecycle.py ENDPOINT REPOSITORY
"""

import datetime
import json
import sys

import boto3

RULE = {
    "rulePriority": 1,
    "description": "keep the newest release",
    "selection": {
        "tagStatus": "tagged",
        "tagPatternList": ["v*"],
        "countType": "imageCountMoreThan",
        "countNumber": 1,
    },
    "action": {"type": "expire"},
}


def main(endpoint, repository):
    ecr = boto3.client(
        "ecr",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    )
    named = {"repositoryName": repository}
    text = json.dumps({"rules": [RULE]})
    try:
        ecr.start_lifecycle_policy_preview(**named)
        raise AssertionError("a policy that is not there was previewed")
    except ecr.exceptions.LifecyclePolicyNotFoundException:
        pass
    put = ecr.put_lifecycle_policy(lifecyclePolicyText=text, **named)
    assert json.loads(put["lifecyclePolicyText"]) == {"rules": [RULE]}, put
    never = ecr.get_lifecycle_policy(**named)["lastEvaluatedAt"]
    assert never == datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc), never
    try:
        ecr.get_lifecycle_policy_preview(**named)
        raise AssertionError("a preview that was never started was given")
    except ecr.exceptions.LifecyclePolicyPreviewNotFoundException:
        pass
    ecr.start_lifecycle_policy_preview(**named)
    waiter = ecr.get_waiter("lifecycle_policy_preview_complete")
    waiter.wait(WaiterConfig={"Delay": 1, "MaxAttempts": 20}, **named)
    pages = ecr.get_paginator("get_lifecycle_policy_preview").paginate(PaginationConfig={"PageSize": 1}, **named)
    results = pages.build_full_result()["previewResults"]
    summary = ecr.get_lifecycle_policy_preview(**named)["summary"]
    deleted = ecr.delete_lifecycle_policy(**named)
    assert deleted["lifecyclePolicyText"] == put["lifecyclePolicyText"], deleted
    tags = [tag for result in results for tag in result["imageTags"]]
    actions = [result["action"] for result in results]
    print(json.dumps({"tags": tags, "actions": actions, "summary": summary}))


if __name__ == "__main__":
    main(*sys.argv[1:])

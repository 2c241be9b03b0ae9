"""Moves one image between an OCI layout and a registry through the AWS API alone.

usage: boto3-image.py push|pull ENDPOINT REPOSITORY TAG FOLDER

Signs as the environment's AWS_* say, if they do.
"""

import base64
import hashlib
import json
import os
import pathlib
import sys
import urllib.request

import boto3

PART_BYTES = 5 * 1024 * 1024


def main(direction, endpoint, repository, tag, folder):
    ecr = boto3.client(
        "ecr",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "secret"),
    )
    {"push": push, "pull": pull}[direction](ecr, repository, tag, pathlib.Path(folder))


def push(ecr, repository, tag, folder):
    ecr.create_repository(repositoryName=repository)
    top = json.loads((folder / "index.json").read_text())["manifests"][0]
    manifest = blob_path(folder, top["digest"]).read_text()
    parsed = json.loads(manifest)
    for descriptor in [parsed["config"], *parsed["layers"]]:
        upload_layer(ecr, repository, descriptor["digest"], blob_path(folder, descriptor["digest"]).read_bytes())
    image = ecr.put_image(
        repositoryName=repository, imageTag=tag, imageManifest=manifest, imageManifestMediaType=top["mediaType"]
    )["image"]
    assert image["imageId"] == {"imageDigest": top["digest"], "imageTag": tag}, image
    detail = ecr.describe_images(repositoryName=repository, imageIds=[image["imageId"]])["imageDetails"][0]
    size = sum(one["size"] for one in {one["digest"]: one for one in [parsed["config"], *parsed["layers"]]}.values())
    known = {"imageTags": [tag], "imageSizeInBytes": size, "artifactMediaType": parsed["config"]["mediaType"]}
    assert known.items() <= detail.items(), detail
    print(json.dumps({"digest": top["digest"], "token": password(ecr)}))


def upload_layer(ecr, repository, digest, data):
    before = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[digest])
    assert before["layers"][0]["layerAvailability"] == "UNAVAILABLE" if before["layers"] else before["failures"], before
    upload_id = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    for first in range(0, len(data), PART_BYTES):
        part = data[first : first + PART_BYTES]
        answer = ecr.upload_layer_part(
            repositoryName=repository,
            uploadId=upload_id,
            partFirstByte=first,
            partLastByte=first + len(part) - 1,
            layerPartBlob=part,
        )
        assert answer["lastByteReceived"] == first + len(part) - 1, answer
    complete = dict(repositoryName=repository, uploadId=upload_id, layerDigests=[digest])
    assert ecr.complete_layer_upload(**complete)["layerDigest"] == digest
    after = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[digest])
    assert after["layers"][0]["layerAvailability"] == "AVAILABLE", after
    assert after["layers"][0]["layerSize"] == len(data), after
    second = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    try:
        ecr.complete_layer_upload(repositoryName=repository, uploadId=second, layerDigests=[digest])
        raise AssertionError("an upload without parts was completed")
    except (ecr.exceptions.EmptyUploadException, ecr.exceptions.LayerAlreadyExistsException):
        pass


def pull(ecr, repository, tag, folder):
    answer = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
    assert not answer["failures"], answer
    image = answer["images"][0]
    manifest = image["imageManifest"].encode()
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    save(blobs, image["imageId"]["imageDigest"], manifest)
    parsed = json.loads(manifest)
    for descriptor in [parsed["config"], *parsed["layers"]]:
        url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=descriptor["digest"])["downloadUrl"]
        with urllib.request.urlopen(url) as response:
            save(blobs, descriptor["digest"], response.read())
    details = ecr.get_paginator("describe_images").paginate(repositoryName=repository).build_full_result()["imageDetails"]
    assert [detail["imageTags"] for detail in details] == [[tag]], details
    print(json.dumps({"digest": image["imageId"]["imageDigest"]}))


def save(blobs, digest, data):
    assert digest == "sha256:" + hashlib.sha256(data).hexdigest(), digest
    (blobs / digest.split(":")[1]).write_bytes(data)


def password(ecr):
    entry = ecr.get_authorization_token()["authorizationData"][0]
    assert entry["expiresAt"].tzinfo is not None
    return base64.b64decode(entry["authorizationToken"]).decode().split(":", 1)[1]


def blob_path(folder, digest):
    return folder / "blobs" / "sha256" / digest.split(":")[1]


if __name__ == "__main__":
    main(*sys.argv[1:])

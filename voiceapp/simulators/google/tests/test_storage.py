"""The simulator refuses what Google refuses; Google's own rules of signatures, not botocore's, decide."""

from __future__ import annotations

from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from voiceapp.simulators.google.storage import KEY_ID, PREFIX, SECRET

BUCKET = "google-simulated"
CONFIG = Config(
    signature_version="s3v4",
    s3={"addressing_style": "path"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    retries={"total_max_attempts": 1},
)


def client_at(url: str, *, region: str = "auto", secret: str = SECRET, **changes: Any) -> Any:
    config = CONFIG.merge(Config(**changes))
    keys = {"aws_access_key_id": KEY_ID, "aws_secret_access_key": secret}
    return boto3.client("s3", endpoint_url=url, region_name=region, config=config, **keys)


@pytest.fixture(scope="module")
def url(local_aws: str) -> str:
    client = client_at(local_aws, region="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    client.close()
    return f"{local_aws}{PREFIX}"


def refusal(client: Any, method: str, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        getattr(client, method)(Bucket=BUCKET, **arguments)
    client.close()
    return str(caught.value.response["Error"]["Code"])


def test_what_is_signed_with_the_key_is_done(url: str) -> None:
    client, key = client_at(url), "folder/a b+ü.ogg"
    client.put_object(Bucket=BUCKET, Key=key, Body=b"OggS", ContentType="audio/ogg")
    assert [each["Key"] for each in client.list_objects_v2(Bucket=BUCKET, Prefix="folder/")["Contents"]] == [key]
    assert client.get_object(Bucket=BUCKET, Key=key, Range="bytes=1-2")["Body"].read() == b"gg"
    link = client.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": key}, ExpiresIn=60)
    assert httpx.get(link, trust_env=False).content == b"OggS"
    assert httpx.get(link.replace("X-Amz-Expires=60", "X-Amz-Expires=600"), trust_env=False).status_code == 403
    client.delete_object(Bucket=BUCKET, Key=key)
    client.close()


def test_another_secret_and_no_signature_are_refused(url: str) -> None:
    assert refusal(client_at(url, secret="another"), "list_objects_v2") == "SignatureDoesNotMatch"
    assert httpx.get(f"{url}/{BUCKET}", trust_env=False).status_code == 403


def test_the_checksums_that_botocore_adds_by_default_are_refused(url: str) -> None:
    default = client_at(url, request_checksum_calculation="when_supported")
    assert refusal(default, "put_object", Key="a", Body=b"OggS") == "SignatureDoesNotMatch"


def test_who_signs_what_is_changed_on_the_way_is_refused(url: str) -> None:
    client = client_at(url)
    client.meta.events.register(
        "before-sign.s3", lambda request, **_: request.headers.add_header("Accept-Encoding", "identity")
    )
    assert refusal(client, "list_objects_v2") == "SignatureDoesNotMatch"


def test_what_is_not_there_cannot_be_deleted(url: str) -> None:
    assert refusal(client_at(url), "delete_object", Key="nothing") == "NoSuchKey"

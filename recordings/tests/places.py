"""Where files are kept, as fixtures: the disk, or a bucket at AWS or Google, simulated.

What a place has is read past the product.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from recordings.backends import AT_GOOGLE
from voiceapp.providers.aws.client import aws_client
from voiceapp.simulators.google.storage import KEY_ID, PREFIX, SECRET

BUCKET = "calls-of-tests"
AWS_KEY, AWS_SECRET = "AKIATEST", "a-secret-of-the-local-aws"


@pytest.fixture
def on_disk(settings: Settings, tmp_path: Path) -> Path:
    """The place, unless a test names another one."""
    settings.RECORDINGS_DIR, settings.FINISHING_DIR = str(tmp_path / "recordings"), str(tmp_path / "finishing")
    settings.LIVEKIT_RECORDING_BUCKET = settings.LIVEKIT_RECORDING_REGION = ""
    return tmp_path / "recordings"


@pytest.fixture
def in_bucket(settings: Settings, local_aws: str) -> str:
    """An empty one; the address of its server."""
    settings.AWS_ENDPOINT_URL, settings.LIVEKIT_RECORDING_BUCKET = local_aws, BUCKET
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = AWS_KEY, AWS_SECRET
    aws_client("s3").create_bucket(Bucket=BUCKET)
    for key in keys_in_bucket():
        aws_client("s3").delete_object(Bucket=BUCKET, Key=key)
    return local_aws


@pytest.fixture
def at_google(settings: Settings, in_bucket: str) -> str:
    """The same bucket, reached as one of Google's; the address of its server."""
    settings.LIVEKIT_RECORDING_BUCKET, settings.GCS_ENDPOINT_URL = f"{AT_GOOGLE}{BUCKET}", f"{in_bucket}{PREFIX}"
    settings.GCS_HMAC_KEY_ID, settings.GCS_HMAC_SECRET = KEY_ID, SECRET
    return f"{in_bucket}{PREFIX}"


@pytest.fixture(params=["disk", "bucket"])
def stored_keys(request: pytest.FixtureRequest, on_disk: Path) -> Callable[[], list[str]]:
    """What the place has: each test that names it runs on the disk and in the bucket."""
    return _keys_at(request.param, request, on_disk)


@pytest.fixture(params=["disk", "bucket", "google"])
def stored_keys_everywhere(request: pytest.FixtureRequest, on_disk: Path) -> Callable[[], list[str]]:
    """The same, also in a bucket of Google's."""
    return _keys_at(request.param, request, on_disk)


def _keys_at(place: str, request: pytest.FixtureRequest, folder: Path) -> Callable[[], list[str]]:
    if place == "disk":
        return lambda: keys_on(folder)
    request.getfixturevalue("in_bucket" if place == "bucket" else "at_google")
    return keys_in_bucket


def keys_on(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def keys_in_bucket() -> list[str]:
    return sorted(each["Key"] for each in aws_client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", ()))


def content_of_bucket() -> list[bytes]:
    bodies = (aws_client("s3").get_object(Bucket=BUCKET, Key=key)["Body"] for key in keys_in_bucket())
    return [body.read() for body in bodies]

"""Files in the bucket and on the disk, which behave alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from recordings.files import read_file, store_file
from recordings.models import Recording
from voiceapp.providers.errors import ProviderError

from .conftest import AWS_KEY, AWS_SECRET, BUCKET


@pytest.fixture(params=["disk", "bucket"])
def place(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> str:
    settings.RECORDINGS_DIR = str(tmp_path)
    settings.LIVEKIT_RECORDING_BUCKET = ""
    if request.param == "bucket":
        settings.AWS_ENDPOINT_URL = request.getfixturevalue("local_aws")
        settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = AWS_KEY, AWS_SECRET
        settings.LIVEKIT_RECORDING_BUCKET = BUCKET
    return str(request.param)


def test_a_file_is_stored_replaced_and_read(place: str) -> None:
    key = "recordings/x/2026/11/a.wav"
    for content in (b"first", b"second"):
        bucket = store_file(key, content, file_type="wav")
        assert read_file(Recording(bucket=bucket, key=key)) == content
    assert bucket == ("" if place == "disk" else BUCKET)


def test_a_file_that_is_gone_is_an_error(place: str) -> None:
    with pytest.raises(ProviderError):
        read_file(Recording(bucket="" if place == "disk" else BUCKET, key="recordings/none.wav"))


def test_a_key_never_leads_out_of_the_folder(settings: Settings, tmp_path: Path) -> None:
    settings.RECORDINGS_DIR, settings.LIVEKIT_RECORDING_BUCKET = str(tmp_path / "in"), ""
    with pytest.raises(ProviderError) as caught:
        store_file("../out.wav", b"x", file_type="wav")
    assert caught.value.permanent
    assert not (tmp_path / "out.wav").exists()


def test_a_full_or_missing_disk_is_an_error_that_may_pass(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.RECORDINGS_DIR, settings.LIVEKIT_RECORDING_BUCKET = str(tmp_path / "file"), ""
    with pytest.raises(ProviderError) as caught:
        store_file("recordings/a.wav", b"x", file_type="wav")
    assert not caught.value.permanent

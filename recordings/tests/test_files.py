"""Files in the bucket and on the disk, which behave alike; parts of them for a player."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from recordings.files import read_file, store_file
from recordings.models import Recording
from recordings.player import sound_response
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


@pytest.mark.parametrize(
    ("header", "status", "body", "content_range"),
    [
        ("", 200, b"0123456789", None),
        ("bytes=0-", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=5-2", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("seconds=1-2", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
    ],
)
def test_a_player_gets_the_part_that_it_asks_for(
    header: str, status: int, body: bytes, content_range: str | None
) -> None:
    request = RequestFactory().get("/", headers={"Range": header} if header else {})
    response = sound_response(request, b"0123456789", content_type="audio/wav", file_name="a.wav")
    assert (response.status_code, response.content, response.get("Content-Range")) == (status, body, content_range)

"""Files in the bucket and on the disk, which behave alike."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from pytest_django import Settings

from recordings.files import delete_key, file_size, read_file, read_part, store_file
from recordings.models import Recording
from recordings.storage import recording_link
from voiceapp.providers.errors import ProviderError

from .places import BUCKET


@pytest.fixture(params=["disk", "bucket", "google"])
def place(request: pytest.FixtureRequest, on_disk: Path) -> str:
    """The name of the place, as rows keep it."""
    if request.param != "disk":
        request.getfixturevalue("in_bucket" if request.param == "bucket" else "at_google")
    return {"disk": "", "bucket": BUCKET, "google": f"gs://{BUCKET}"}[request.param]


def test_a_file_is_stored_replaced_and_read(place: str) -> None:
    key = "recordings/x/2026/11/a.wav"
    for content in (b"first", b"second"):
        bucket = store_file(key, content, file_type="wav")
        assert read_file(Recording(bucket=bucket, key=key)) == content
    assert bucket == place


def test_a_file_that_is_gone_is_an_error(place: str) -> None:
    with pytest.raises(ProviderError):
        read_file(Recording(bucket=place, key="recordings/none.wav"))
    delete_key(place, "recordings/none.wav")


def test_an_hours_file_is_uploaded_in_parts(at_google: str, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40_000  # ten megabytes
    (tmp_path / "hour.ogg").write_bytes(content)
    key = "recordings/hour.ogg"
    recording = Recording(bucket=store_file(key, tmp_path / "hour.ogg", file_type="ogg"), key=key, file_type="ogg")
    assert file_size(recording) == len(content)
    assert read_part(recording, range(9_000_000, 9_000_300)) == content[9_000_000:9_000_300]


def test_a_link_to_googles_bucket_is_signed_and_expires(at_google: str, settings: Settings) -> None:
    key = "recordings/a.ogg"
    recording = Recording(
        bucket=store_file(key, b"OggS", file_type="ogg"), key=key, file_type="ogg", state="stored", size_bytes=4,
        label="Monday",
    )  # fmt: skip
    link = recording_link(recording)
    assert link
    assert link.startswith(f"{at_google}/{BUCKET}/recordings/a.ogg?")
    assert "X-Amz-Expires=300" in link
    assert settings.GCS_HMAC_SECRET not in link
    response = httpx.get(link, trust_env=False)
    assert (response.content, response.headers["Content-Disposition"]) == (b"OggS", 'attachment; filename="Monday.ogg"')
    assert httpx.get(link.replace("a.ogg", "b.ogg"), trust_env=False).status_code == 403


def test_googles_bucket_is_never_opened_with_keys_of_aws(at_google: str, settings: Settings) -> None:
    settings.GCS_HMAC_SECRET = ""
    with pytest.raises(ProviderError, match="gcs: no credentials: set GCS_HMAC_KEY_ID and GCS_HMAC_SECRET"):
        store_file("recordings/a.wav", b"x", file_type="wav")
    settings.GCS_HMAC_SECRET = "another"
    with pytest.raises(ProviderError, match="gcs: returned SignatureDoesNotMatch") as caught:
        store_file("recordings/a.wav", b"x", file_type="wav")
    assert not caught.value.permanent


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

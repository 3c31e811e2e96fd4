"""The file of a recording is fetched by a click, from another origin than ours, under the page's content policy."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from pytest_django import Settings

from recordings.models import Recording
from sessions.calls.models import Call
from voiceapp.simulators.aws.tests.running import running_aws

from .conftest import CHROMIUM, Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]

KEY = "recordings/bella-napoli/2026/11/1.ogg"


def test_alice_fetches_the_file_of_a_recording(desk: Desk, call: Call, settings: Settings) -> None:
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = "AKIATEST", "secret"
    recording = Recording.objects.create(
        call=call, external_id="EG_1", state="stored", file_type="ogg", bucket="calls", key=KEY, label="Monday",
        size_bytes=4, duration_ms=65_000, transcript="Caller: Hello.",
    )  # fmt: skip
    with running_aws() as settings.AWS_ENDPOINT_URL:
        bucket = boto3.resource(
            "s3",
            endpoint_url=settings.AWS_ENDPOINT_URL,
            region_name="us-east-1",
            aws_access_key_id="AKIATEST",
            aws_secret_access_key="secret",
        ).Bucket("calls")
        bucket.create()
        bucket.put_object(Key=KEY, Body=b"OggS")
        page = desk.open(f"/admin/voice_sessions/call/{call.pk}/change/")
        page.get_by_role("region", name="Recordings").get_by_role("link").click()
        page.wait_for_load_state("networkidle")
        assert desk.faults_of_access() == []
        with page.expect_download() as download:
            page.get_by_role("button", name="Download file").click()
        assert download.value.suggested_filename == "Monday.ogg"
        assert Path(download.value.path()).read_bytes() == b"OggS"
    assert page.url.endswith(f"/admin/recordings/recording/{recording.pk}/change/")
    assert desk.complaints == []

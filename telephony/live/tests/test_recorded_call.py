"""A support call over the API with a LiveKit and a bucket on this machine: it is recorded from its first sound."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.services import issue_key
from agents.tests.builders import make_organization
from sessions.messages.outbox import outbox
from telephony.events.inbox import inbox
from voiceapp.core.jobs.wake_up import WakeUp
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, name_livekit, running_livekit

pytestmark = pytest.mark.django_db(transaction=True)

KEYS = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "a-secret-of-the-local-aws"}


@pytest.fixture(autouse=True)
def no_worker_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests do the worker's work themselves."""
    monkeypatch.setattr(WakeUp, "__call__", lambda *_: None)


@pytest.fixture
def bucket(settings: Settings, local_aws: str) -> str:
    client = boto3.client("s3", endpoint_url=local_aws, region_name="us-east-1", **KEYS)
    client.create_bucket(Bucket="calls-in-rooms")
    client.close()
    settings.AWS_ENDPOINT_URL, settings.LIVEKIT_RECORDING_BUCKET = local_aws, "calls-in-rooms"
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = KEYS.values()
    return local_aws


@pytest.fixture
def livekit(live_server: LiveServer, settings: Settings, bucket: str) -> Iterator[RunningLiveKit]:
    with running_livekit(webhook_urls=[f"{live_server.url}/api/voice/webhook"]) as running:
        name_livekit(settings, running.url)
        yield running


@pytest.fixture
def website(live_server: LiveServer) -> Iterator[httpx.Client]:
    key = issue_key(make_organization("Harbour"), name="website").text
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{live_server.url}/api/voice/", headers=headers, trust_env=False) as client:
        yield client


def answered(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    content: dict[str, Any] = response.json()
    return content


def until(livekit: RunningLiveKit, website: httpx.Client, room: str, *, is_so: str) -> dict[str, Any]:
    """Do the worker's work until the newest recording of the room has that status."""
    for _ in range(200):
        livekit.webhooks()
        inbox.process_due()
        outbox.process_due()
        found = website.get("recording", params={"roomName": room})
        if found.status_code == 200 and found.json()["recording"]["status"] == is_so:
            return answered(found)
        time.sleep(0.02)
    raise AssertionError(found.text)


def test_a_call_that_wants_it_is_recorded_from_its_first_sound_to_its_end(
    livekit: RunningLiveKit, website: httpx.Client
) -> None:
    session = answered(website.post("session", json={"callType": "support", "enableRecording": True}))["session"]
    room = session["roomName"]
    assert session["recordingEnabled"] is True
    assert website.get("recording", params={"roomName": room}).status_code == 404

    livekit.join(session["token"])
    running = until(livekit, website, room, is_so="active")["recording"]
    assert running["isActive"] is True
    assert website.post("recording", json={"roomName": room}).status_code == 409
    assert answered(website.get("session", params={"roomName": room}))["session"]["recordingUrl"] is None

    livekit.advance(20)
    answered(website.delete("session", params={"roomName": room}))
    over = until(livekit, website, room, is_so="complete")
    assert over["recording"]["egressId"] == running["egressId"]
    file = httpx.get(over["recordingUrl"], trust_env=False)
    assert file.content.startswith(b"OggS")
    assert file.headers["Content-Disposition"] == f'attachment; filename="{room}.ogg"'

    call = answered(website.get("session", params={"roomName": room}))["session"]
    assert httpx.get(call["recordingUrl"], trust_env=False).content == file.content
    listed = answered(website.get("session"))["sessions"]
    assert [(each["roomName"], each["hasRecording"]) for each in listed] == [(room, True)]
    assert len(livekit.do(lambda backend: list(backend.recorder.recordings))) == 1


def test_a_call_that_does_not_want_it_is_not_recorded(livekit: RunningLiveKit, website: httpx.Client) -> None:
    session = answered(website.post("session", json={"enableRecording": False}))["session"]
    assert session["recordingEnabled"] is False
    livekit.join(session["token"])
    livekit.webhooks()
    inbox.process_due()
    outbox.process_due()
    assert website.get("recording", params={"roomName": session["roomName"]}).status_code == 404
    assert livekit.do(lambda backend: list(backend.recorder.recordings)) == []

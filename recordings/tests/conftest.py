"""Alice's connected call in the simulator of LiveKit, a bucket in the simulator of AWS, and the people of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.people import alice, bob, charlie, clerk, harbour, meadow, mia, website
from sessions.calls.models import Call
from sessions.messages.outbox import outbox
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.aws.tests.running import running_aws
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, name_livekit, running_livekit

from .calls import talk

__all__ = ["alice", "bob", "charlie", "clerk", "harbour", "meadow", "mia", "website"]

BUCKET = "calls-of-tests"
AWS_KEY, AWS_SECRET = "AKIATEST", "a-secret-of-the-local-aws"


@pytest.fixture(scope="session")
def local_aws() -> Iterator[str]:
    with running_aws() as address:
        client = boto3.client(
            "s3",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id=AWS_KEY,
            aws_secret_access_key=AWS_SECRET,
        )
        client.create_bucket(Bucket=BUCKET)
        client.close()
        yield address


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The topics for which the worker would have been woken: none runs here."""
    topics: list[str] = []
    monkeypatch.setattr(outbox, "wake_up", topics.append)
    return topics


@pytest.fixture
def livekit(settings: Settings) -> Iterator[RunningLiveKit]:
    with running_livekit() as running:
        name_livekit(settings, running.url)
        settings.LIVEKIT_RECORDING_BUCKET, settings.LIVEKIT_RECORDING_REGION = BUCKET, "eu-west-1"
        settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = AWS_KEY, AWS_SECRET
        settings.AWS_ENDPOINT_URL = ""
        yield running


@pytest.fixture
def stored(livekit: RunningLiveKit, local_aws: str, settings: Settings) -> str:
    """Recordings go to the simulator of AWS; its URL."""
    settings.AWS_ENDPOINT_URL = local_aws
    return local_aws


@pytest.fixture
def client(livekit: RunningLiveKit) -> LiveKitClient:
    return LiveKitClient.from_settings()


@pytest.fixture
def call(harbour: Organization, livekit: RunningLiveKit, client: LiveKitClient) -> Call:
    """Connected, its room open, a caller speaking in it."""
    client.create_room(ROOM)
    talk(livekit, client)
    return make_room_call(harbour)

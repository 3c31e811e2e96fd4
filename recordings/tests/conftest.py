"""Alice's connected call in the simulator of LiveKit, a bucket in the simulator of AWS, and the people of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.people import alice, bob, charlie, clerk, harbour, meadow, mia, website
from sessions.calls.models import Call
from sessions.messages.outbox import outbox
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, name_livekit, running_livekit

from .calls import talk
from .places import AWS_KEY, AWS_SECRET, BUCKET, at_google, in_bucket, on_disk, stored_keys, stored_keys_everywhere

__all__ = ["alice", "at_google", "bob", "charlie", "clerk", "harbour", "in_bucket", "meadow", "mia", "on_disk",
           "stored_keys", "stored_keys_everywhere", "website"]  # fmt: skip


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
def stored(livekit: RunningLiveKit, in_bucket: str) -> str:
    """Recordings go to the simulator of AWS; its URL."""
    return in_bucket


@pytest.fixture
def client(livekit: RunningLiveKit) -> LiveKitClient:
    return LiveKitClient.from_settings()


@pytest.fixture
def call(harbour: Organization, livekit: RunningLiveKit, client: LiveKitClient) -> Call:
    """Connected, its room open, a caller speaking in it."""
    client.create_room(ROOM)
    talk(livekit, client)
    return make_room_call(harbour)

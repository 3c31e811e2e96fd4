"""An automatic recording begins with the room's first track, and ends as LiveKit's events report."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from agents.organizations.models import Organization
from recordings.models import Recording
from sessions.messages.outbox import outbox
from telephony.events.models import ProviderEvent
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.tests.waiting import soon

from .rooms import Room, open_room

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def bucket(settings: Settings) -> None:
    settings.LIVEKIT_RECORDING_BUCKET, settings.LIVEKIT_RECORDING_REGION = "calls", "eu-west-1"
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY, settings.AWS_ENDPOINT_URL = "AKIA", "very-secret", ""


def hears_of(room: Room, state: str) -> Recording:
    def now() -> Recording | None:
        room.process_webhooks()
        return Recording.objects.filter(call=room.call, state=state).first()

    return soon(now)


@pytest.mark.parametrize("fault", ["", "webhook_twice", "webhook_reordered", "webhook_lost=egress_started"])
def test_it_is_begun_once_and_ends_with_its_file(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings, fault: str
) -> None:
    if fault:
        settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(fault)
    room = open_room(livekit, harbour, is_recorded=True)
    room.process_webhooks()
    room.caller_joins()
    room.agent_comes()
    room.process_webhooks()
    recording = Recording.objects.get()
    assert (recording.state, recording.is_automatic) == ("starting", True)
    outbox.process_due()
    hears_of(room, "recording")
    LiveKitClient.from_settings().delete_room(room.name)
    ended = hears_of(room, "stored")
    assert ended.pk == recording.pk
    assert ended.size_bytes
    assert room.call.state == "completed"
    ended_event = ProviderEvent.objects.filter(kind="egress_ended").first()
    assert ended_event
    assert ended_event.call == room.call
    assert not ProviderEvent.objects.filter(fields__icontains="very-secret").exists()


def test_only_requested_recordings_are_made(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = open_room(livekit, harbour, is_recorded=False)
    room.caller_joins()
    room.process_webhooks()
    assert room.call.participants.exists()
    assert not Recording.objects.exists()

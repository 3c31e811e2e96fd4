"""LiveKit's own webhooks, as they are kept and read again, carry a recording through its whole life."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from agents.organizations.models import Organization
from recordings.models import Recording
from recordings.services.reports import apply_report
from recordings.services.starting import start_recording
from recordings.services.stopping import stop_recording
from recordings.sources.livekit import report_of
from sessions.calls.models import CallEvent
from sessions.messages.models import OutboxMessage
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.webhooks import event_of
from voiceapp.simulators.livekit.tests.running import (
    API_KEY,
    API_SECRET,
    Receiver,
    RunningLiveKit,
    name_livekit,
    receiving,
    running_livekit,
)
from voiceapp.tests.waiting import soon

from .calls import only_recording, talk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def reporting_livekit(livekit: RunningLiveKit, receiver: Receiver, settings: Settings) -> Iterator[RunningLiveKit]:
    """Another LiveKit, which sends its webhooks to the receiver."""
    with running_livekit(webhook_urls=[receiver.url]) as running:
        name_livekit(settings, running.url)
        yield running


def received_statuses(reporting_livekit: RunningLiveKit, receiver: Receiver) -> list[str]:
    """Every webhook so far, in the order in which they came."""
    reporting_livekit.webhooks()
    client = LiveKitClient(url=reporting_livekit.url, api_key=API_KEY, api_secret=API_SECRET)
    statuses = []
    for body, authorization in receiver.received:
        event = client.verify_webhook(body, authorization)
        kept = event_of(event.record, key=event.key)
        if kept.recording:
            statuses.append(kept.recording.status.value)
            apply_report(report_of(kept.recording))
    receiver.received.clear()
    return statuses


@pytest.mark.parametrize(
    "fault", ["", "webhook_twice", "webhook_reordered", "webhook_no_id", "webhook_lost=egress_started"]
)
def test_webhooks_carry_a_recording_to_its_end(
    reporting_livekit: RunningLiveKit, receiver: Receiver, harbour: Organization, settings: Settings, fault: str
) -> None:
    if fault:
        settings.LIVEKIT_INTERNAL_URL = reporting_livekit.server.fault_url(fault)
    client = LiveKitClient.from_settings()
    client.create_room(ROOM)
    talk(reporting_livekit, client)
    call = make_room_call(harbour)
    start_recording(call)
    soon(lambda: client.list_recordings(ROOM)[0].status.value == "active")
    stop_recording(call)
    soon(lambda: client.list_recordings(ROOM)[0].is_over)
    assert "complete" in received_statuses(reporting_livekit, receiver)
    recording = only_recording()
    assert recording.state == "stored"
    assert recording.size_bytes
    assert sorted(CallEvent.objects.values_list("kind", flat=True)) == ["recording_ended", "recording_started"]
    assert [message.topic for message in OutboxMessage.objects.all()] == ["recording.finish"]


def test_the_webhooks_of_a_start_whose_answer_was_lost_find_its_row_and_have_it_stopped(
    reporting_livekit: RunningLiveKit, receiver: Receiver, harbour: Organization
) -> None:
    client = LiveKitClient.from_settings()
    client.create_room(ROOM)
    talk(reporting_livekit, client)
    given_up = Recording.objects.create(call=make_room_call(harbour), key="recordings/x/1.ogg", state="failed")
    started = client.start_room_recording(ROOM, filepath=given_up.key, file_type="ogg")
    soon(lambda: client.list_recordings(ROOM)[0].status.value == "active")
    received_statuses(reporting_livekit, receiver)
    assert only_recording().external_id == started.egress_id
    assert {message.topic for message in OutboxMessage.objects.all()} == {"recording.stop"}


def test_a_recording_that_ends_with_its_room_ends_here(
    reporting_livekit: RunningLiveKit, receiver: Receiver, harbour: Organization
) -> None:
    client = LiveKitClient.from_settings()
    client.create_room(ROOM)
    talk(reporting_livekit, client)
    start_recording(make_room_call(harbour))
    soon(lambda: client.list_recordings(ROOM)[0].status.value == "active")
    client.delete_room(ROOM)
    soon(lambda: client.list_recordings(ROOM)[0].is_over)
    received_statuses(reporting_livekit, receiver)
    assert only_recording().has_file

"""A call that is to be recorded from the beginning is recorded once, as soon as LiveKit can."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from recordings.models import Recording
from recordings.services.automatic import START, enqueue_automatic_recording
from recordings.services.reconciling import reconcile_recordings
from recordings.services.starting import start_recording
from recordings.services.stopping import stop_recording
from sessions.calls.models import Call, CallState
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.tests.builders import ROOM
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.values import EgressStatus
from voiceapp.simulators.livekit.tests.running import RunningLiveKit

from .calls import becomes, only_recording

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def wanted(call: Call) -> Call:
    Call.objects.filter(pk=call.pk).update(is_recording_wanted=True)
    call.refresh_from_db()
    return call


def later(minutes: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + dt.timedelta(minutes=minutes), tick=True)


def test_a_call_that_wants_it_is_recorded(wanted: Call, client: LiveKitClient, woken: list[str]) -> None:
    assert enqueue_automatic_recording(wanted)
    assert woken == [START]
    assert outbox.process_due([START]) == 1
    recording = only_recording()
    assert recording.is_running
    assert recording.is_automatic
    assert recording.external_id
    becomes(client, recording.external_id, EgressStatus.ACTIVE)
    assert [each.requested_path for each in client.list_recordings(ROOM)] == [recording.key]


def test_a_ringing_call_is_recorded_from_its_first_track(wanted: Call, client: LiveKitClient) -> None:
    Call.objects.filter(pk=wanted.pk).update(state=CallState.RINGING)
    assert enqueue_automatic_recording(wanted)
    assert outbox.process_due([START]) == 1
    assert only_recording().is_running


def test_repeated_requests_record_a_call_once(wanted: Call, client: LiveKitClient) -> None:
    for _ in range(3):
        enqueue_automatic_recording(wanted)
        outbox.process_due([START])
    stop_recording(wanted)
    for _ in range(3):
        enqueue_automatic_recording(wanted)
        outbox.process_due([START])
    assert wanted.recordings.count() == 1
    assert len(client.list_recordings(ROOM)) == 1


def test_requests_at_the_same_time_start_one_recording(wanted: Call, client: LiveKitClient) -> None:
    def enqueue(_: int) -> bool:
        try:
            return enqueue_automatic_recording(wanted) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(enqueue, range(8))) == 1
    assert OutboxMessage.objects.count() == 1


def test_a_call_that_does_not_want_it_or_cannot_be_is_not_recorded(wanted: Call, settings: Settings) -> None:
    wanted.is_recording_wanted = False
    assert enqueue_automatic_recording(wanted) is None
    wanted.is_recording_wanted = True
    settings.LIVEKIT_RECORDING_BUCKET = ""
    assert enqueue_automatic_recording(wanted) is None
    settings.LIVEKIT_RECORDING_BUCKET = "bucket"
    Call.objects.filter(pk=wanted.pk).update(state=CallState.COMPLETED)
    assert enqueue_automatic_recording(wanted) is None
    assert not Recording.objects.exists()


def test_one_that_was_started_by_hand_is_enough(wanted: Call) -> None:
    start_recording(wanted)
    assert enqueue_automatic_recording(wanted) is None
    assert wanted.recordings.count() == 1


def test_it_is_tried_again_when_livekit_comes_back(wanted: Call, livekit: RunningLiveKit, settings: Settings) -> None:
    enqueue_automatic_recording(wanted)
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("away")
    assert outbox.process_due([START]) == 0
    assert only_recording().state == "starting"
    settings.LIVEKIT_INTERNAL_URL = livekit.url
    with later(1):
        assert outbox.process_due([START]) == 1
    assert only_recording().is_running


def test_a_start_without_a_response_is_not_repeated(
    wanted: Call, livekit: RunningLiveKit, settings: Settings, client: LiveKitClient
) -> None:
    enqueue_automatic_recording(wanted)
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("lost_answer", "only=StartRoomCompositeEgress")
    assert outbox.process_due([START]) == 0
    with later(1):
        assert outbox.process_due([START]) == 1
    assert len(client.list_recordings(ROOM)) == 1
    assert only_recording().is_running


@pytest.mark.parametrize("fault", ["not_found", "credentials"])
def test_it_is_given_up_where_trying_is_hopeless(
    wanted: Call, livekit: RunningLiveKit, settings: Settings, fault: str
) -> None:
    enqueue_automatic_recording(wanted)
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(fault, "only=StartRoomCompositeEgress")
    assert outbox.process_due([START]) == 0
    assert only_recording().state == "failed"
    assert OutboxMessage.objects.get().state == OutboxMessage.State.FAILED


def test_it_is_given_up_when_the_call_is_over(wanted: Call, client: LiveKitClient) -> None:
    enqueue_automatic_recording(wanted)
    Call.objects.filter(pk=wanted.pk).update(state=CallState.COMPLETED)
    assert outbox.process_due([START]) == 1
    assert only_recording().state == "failed"
    assert client.list_recordings(ROOM) == ()


def test_it_is_given_up_after_ten_minutes(wanted: Call, livekit: RunningLiveKit, settings: Settings) -> None:
    enqueue_automatic_recording(wanted)
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("away")
    with later(11):
        outbox.process_due([START])
        assert only_recording().state == "failed"


def test_stopped_before_it_began_it_never_begins(wanted: Call, client: LiveKitClient) -> None:
    enqueue_automatic_recording(wanted)
    stop_recording(wanted)
    assert outbox.process_due([START]) == 1
    assert only_recording().state == "canceled"
    assert client.list_recordings(ROOM) == ()


def test_reconciling_leaves_what_the_outbox_still_tries(wanted: Call) -> None:
    enqueue_automatic_recording(wanted)
    with later(5):
        assert reconcile_recordings() == 1
    assert only_recording().state == "starting"
    with later(15):
        assert reconcile_recordings() == 1
    assert only_recording().state == "failed"

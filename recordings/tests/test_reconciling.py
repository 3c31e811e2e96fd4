"""Without a single webhook the rows become what LiveKit says; what should have ended is ended."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from recordings.models import Recording
from recordings.services.reconciling import reconcile_recordings, recordings_to_reconcile
from recordings.services.starting import start_recording
from recordings.services.stopping import stop_recording
from recordings.storage import new_key
from sessions.calls.models import Call, CallState
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.tests.waiting import soon

from .calls import only_recording, talk

pytestmark = pytest.mark.django_db(transaction=True)


def reconciled(minutes: float = 2) -> Recording:
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=minutes), tick=True):
        reconcile_recordings()
    return only_recording()


def settles(client: LiveKitClient, status: str) -> None:
    soon(lambda: client.list_recordings(ROOM)[0].status.value == status)


def with_fault(livekit: RunningLiveKit, settings: Settings, *faults: str) -> None:
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(*faults)


def test_the_states_of_a_recording_are_read_from_livekit(call: Call, client: LiveKitClient) -> None:
    start_recording(call)
    settles(client, "active")
    assert reconciled().state == "recording"
    client.stop_recording(only_recording().external_id or "")
    settles(client, "complete")
    assert reconciled().has_file
    assert not recordings_to_reconcile().exists()


def test_a_young_recording_is_left_to_the_webhooks(call: Call) -> None:
    start_recording(call)
    assert not recordings_to_reconcile().exists()
    assert reconcile_recordings() == 0


def test_one_that_livekit_has_forgotten_is_failed(call: Call, livekit: RunningLiveKit) -> None:
    start_recording(call)
    livekit.do(lambda backend: backend.recorder.recordings.clear())
    lost = reconciled()
    assert (lost.state, bool(lost.error), bool(lost.ended_at)) == ("failed", True, True)


def test_a_start_that_died_with_its_process_is_failed(call: Call) -> None:
    Recording.objects.create(call=call, key=new_key(call, "ogg"))
    assert reconciled().state == "failed"
    assert start_recording(call).is_running


def test_a_start_whose_process_died_after_livekit_began_is_found_by_its_file(call: Call, client: LiveKitClient) -> None:
    start_recording(call)
    settles(client, "active")
    Recording.objects.update(external_id=None, state="starting", reported_at=None)
    found = reconciled()
    assert found.external_id == client.list_recordings(ROOM)[0].egress_id
    assert found.is_running


def test_one_that_was_to_be_stopped_before_it_began_is_stopped(call: Call, client: LiveKitClient) -> None:
    start_recording(call)
    Recording.objects.update(external_id=None, state="storing", reported_at=None)
    settles(client, "active")
    assert reconciled().state == "storing"
    settles(client, "complete")


def test_one_that_never_begins_is_ended(
    call: Call, livekit: RunningLiveKit, settings: Settings, client: LiveKitClient
) -> None:
    with_fault(livekit, settings, "egress_never_starts")
    start_recording(call)
    assert reconciled(1.5).state == "starting"
    reconciled(3)
    settles(client, "aborted")
    assert reconciled(4).state == "canceled"


def test_one_that_outlives_its_call_is_ended(call: Call, client: LiveKitClient) -> None:
    start_recording(call)
    settles(client, "active")
    Call.objects.filter(pk=call.pk).update(state=CallState.COMPLETED, ended_at=timezone.now())
    reconciled(5)
    settles(client, "complete")


def test_one_whose_file_is_never_stored_is_failed(
    call: Call, livekit: RunningLiveKit, settings: Settings, client: LiveKitClient
) -> None:
    with_fault(livekit, settings, "egress_never_ends")
    start_recording(call)
    settles(client, "active")
    stop_recording(call)
    assert reconciled(30).state == "storing"
    assert reconciled(90).state == "failed"


def test_many_that_run_take_one_question(
    call: Call, client: LiveKitClient, livekit: RunningLiveKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = [f"room-{number}" for number in range(5)]
    for room in rooms:
        client.create_room(room)
        talk(livekit, client, room)
        start_recording(make_room_call(call.organization, room_name=room))
    soon(lambda: all(client.list_recordings(room)[0].status.value == "active" for room in rooms))

    def refuse(*given: object) -> None:
        raise AssertionError("one request per recording")

    monkeypatch.setattr(LiveKitClient, "find_recording", refuse)
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=2), tick=True):
        assert reconcile_recordings() == 5
    assert set(Recording.objects.values_list("state", flat=True)) == {"recording"}


def test_while_livekit_is_away_nothing_is_lost(call: Call, livekit: RunningLiveKit, settings: Settings) -> None:
    start_recording(call)
    with_fault(livekit, settings, "away")
    assert reconciled(60).is_running

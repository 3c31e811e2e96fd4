"""A LiveKit without a recorder is not a slow one; and work whose call is over is canceled."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.people import ApiClient, refused
from recordings.models import Recording
from recordings.services.automatic import START, enqueue_automatic_recording
from recordings.services.reconciling import reconcile_recordings
from recordings.services.reports import STOP
from recordings.services.starting import start_recording
from sessions.calls.models import Call, CallEvent, CallState
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, name_livekit, running_livekit
from voiceapp.tests import livekit_server
from voiceapp.tests.gate import Gate, gate_before

from .calls import RECORDING, only_recording

pytestmark = pytest.mark.django_db(transaction=True)

# LiveKit looks for a recorder for 21 s before it says that there is none.
AT_ONCE_S = 10.0
NOT_CONFIGURED = (503, "Recording service not configured")


@pytest.fixture
def without_recorder(livekit: RunningLiveKit, settings: Settings) -> Iterator[RunningLiveKit]:
    """As livekit-server is without Redis, with its own times."""
    with running_livekit(faults=["redis_required"], egress_wait_s=21) as running:
        name_livekit(settings, running.url)
        LiveKitClient.from_settings().create_room(ROOM)
        yield running


@pytest.fixture
def call(harbour: Organization, livekit: RunningLiveKit) -> Call:
    call = make_room_call(harbour)
    Call.objects.filter(pk=call.pk).update(is_recording_wanted=True)
    call.refresh_from_db()
    return call


@pytest.fixture
def gate(livekit: RunningLiveKit, settings: Settings) -> Iterator[Gate]:
    """Counts the requests to LiveKit, which is away."""
    with gate_before(livekit.server.fault_url("away")) as gate:
        settings.LIVEKIT_INTERNAL_URL = gate.url
        yield gate


def end(call: Call) -> None:
    Call.objects.filter(pk=call.pk).update(state=CallState.COMPLETED, ended_at=timezone.now())


def waiting() -> list[str]:
    return list(OutboxMessage.objects.filter(state="waiting").values_list("topic", flat=True))


def test_a_start_over_the_api_is_answered_not_configured_at_once(
    alice: ApiClient, call: Call, without_recorder: RunningLiveKit
) -> None:
    began_s = time.monotonic()
    refusal = alice.post(RECORDING, roomName=ROOM)
    assert time.monotonic() - began_s < AT_ONCE_S
    assert refused(refusal) == NOT_CONFIGURED
    assert "egress" in refusal.json()["message"]
    assert "Retry-After" not in refusal.headers
    assert only_recording().state == "failed"
    assert [event.kind for event in CallEvent.objects.filter(call=call)] == ["recording_failed"]
    # Nothing can have begun, so nothing is undone.
    assert waiting() == []


def test_an_automatic_recording_without_a_recorder_fails_at_once_and_is_not_retried(
    call: Call, without_recorder: RunningLiveKit
) -> None:
    enqueue_automatic_recording(call)
    began_s = time.monotonic()
    assert outbox.process_due([START]) == 1
    assert time.monotonic() - began_s < AT_ONCE_S
    recording = only_recording()
    assert (recording.state, "does not record" in recording.error) == ("failed", True)
    assert (waiting(), OutboxMessage.objects.filter(state="failed").count()) == ([], 0)
    line = CallEvent.objects.get(call=call)
    assert (line.kind, line.detail["error"]) == ("recording_ended", recording.error)
    # Once each: it is not begun again at the next track.
    assert enqueue_automatic_recording(call) is None


def test_an_undo_ends_where_there_is_no_recorder(call: Call, livekit: RunningLiveKit, settings: Settings) -> None:
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("away")
    with pytest.raises(LiveKitError):
        start_recording(call)
    assert waiting() == [STOP]
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("redis_required")
    assert outbox.process_due([STOP]) == 1
    assert waiting() == []


def test_recordings_in_progress_are_over_where_there_is_no_recorder(
    call: Call, without_recorder: RunningLiveKit
) -> None:
    Recording.objects.create(call=call, key="a.ogg", state="recording", external_id="EG_1")
    Recording.objects.update(created_at=F("created_at") - dt.timedelta(minutes=2))
    assert reconcile_recordings() == 1
    assert only_recording().state == "failed"


def test_a_recorder_that_does_not_answer_is_tried_again_while_the_call_lives(
    call: Call, livekit: RunningLiveKit, settings: Settings, client: LiveKitClient
) -> None:
    client.create_room(ROOM)
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("egress_no_worker")
    enqueue_automatic_recording(call)
    assert outbox.process_due([START]) == 0
    assert (only_recording().state, waiting()) == ("starting", [START])


# Work whose call is over


@pytest.mark.parametrize("tries", [0, 1, 3])
def test_a_start_that_waits_is_canceled_when_its_call_is_over(call: Call, gate: Gate, tries: int) -> None:
    enqueue_automatic_recording(call)
    for minute in range(tries):
        with time_machine.travel(timezone.now() + dt.timedelta(minutes=minute), tick=True):
            assert outbox.process_due([START]) == 0
    end(call)
    reconcile_recordings()
    outbox.process_due()
    assert (waiting(), OutboxMessage.objects.filter(state="failed").count()) == ([], 0)
    recording = only_recording()
    assert (recording.state, recording.error) == ("failed", "The call was over before it began.")
    requests = gate.arrived
    with time_machine.travel(timezone.now() + dt.timedelta(hours=1), tick=True):
        outbox.process_due()
        reconcile_recordings()
    assert gate.arrived == requests


def test_an_undo_that_waits_is_canceled_when_its_call_is_over(call: Call, gate: Gate) -> None:
    with pytest.raises(LiveKitError):
        start_recording(call)
    assert outbox.process_due([STOP]) == 0
    assert waiting() == [STOP]
    end(call)
    reconcile_recordings()
    outbox.process_due()
    assert waiting() == []
    requests = gate.arrived
    with time_machine.travel(timezone.now() + dt.timedelta(hours=1), tick=True):
        outbox.process_due()
    assert gate.arrived == requests


def test_what_waits_for_a_live_call_is_left_as_it_is(call: Call, gate: Gate) -> None:
    enqueue_automatic_recording(call)
    outbox.process_due([START])
    before = OutboxMessage.objects.get().due_at
    reconcile_recordings()
    assert OutboxMessage.objects.get().due_at == before
    assert only_recording().state == "starting"


def test_a_recording_whose_start_was_not_reported_ends_with_its_room_and_is_kept(
    call: Call, livekit: RunningLiveKit, settings: Settings, client: LiveKitClient
) -> None:
    client.create_room(ROOM)
    livekit.join(client.join_token(room=ROOM, identity="caller"))
    enqueue_automatic_recording(call)
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("lost_answer", "only=StartRoomCompositeEgress")
    assert outbox.process_due([START]) == 0
    end(call)
    settings.LIVEKIT_INTERNAL_URL = livekit.url
    reconcile_recordings()
    assert outbox.process_due([START]) == 1
    recording = only_recording()
    assert recording.external_id == client.list_recordings(ROOM)[0].egress_id


@pytest.mark.livekit_server
def test_a_real_server_without_redis_is_known_to_have_no_recorder(
    call: Call, settings: Settings, tmp_path: Path
) -> None:
    if reason := livekit_server.why_not_there():
        pytest.skip(reason)
    with livekit_server.running(tmp_path) as server:
        settings.LIVEKIT_HOST = settings.LIVEKIT_INTERNAL_URL = server.url
        settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET = livekit_server.API_KEY, livekit_server.API_SECRET
        LiveKitClient.from_settings().create_room(ROOM)
        began_s = time.monotonic()
        with pytest.raises(LiveKitError) as error:
            start_recording(call)
        assert error.value.kind is LiveKitErrorKind.NO_RECORDER
        assert time.monotonic() - began_s < AT_ONCE_S
        assert waiting() == []

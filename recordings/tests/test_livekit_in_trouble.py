"""LiveKit away, slow or refusing: the API says so, nothing is half-started, and no call is recorded in secret."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from agents.tests.people import ApiClient, refused
from recordings.models import Recording
from recordings.services.reconciling import reconcile_recording
from recordings.services.starting import start_recording
from recordings.services.stopping import stop_recording
from sessions.calls.models import Call, CallEvent
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.tests.builders import ROOM
from voiceapp.providers.livekit import client as livekit_client
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.values import EgressStatus
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.tests.waiting import soon

from .calls import RECORDING, becomes, only_recording

pytestmark = pytest.mark.django_db(transaction=True)

START = "only=StartRoomCompositeEgress"
STOP = "only=StopEgress"
NO_ANSWER = (503, "Voice service unavailable")
NOT_CONFIGURED = (503, "Recording service not configured")


def faulty(settings: Settings, livekit: RunningLiveKit, *faults: str) -> None:
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(*faults)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time limits are as they are in production, only shorter."""
    monkeypatch.setattr(livekit_client, "EGRESS_TIMEOUT_S", 0.5)


@pytest.mark.parametrize(
    ("faults", "answer"),
    [
        (("away",), NO_ANSWER),
        (("slow", START), NO_ANSWER),
        (("reset", START), NO_ANSWER),
        (("garbage", START), NO_ANSWER),
        (("credentials",), NO_ANSWER),
        (("egress_no_worker",), NO_ANSWER),
        (("redis_required",), NOT_CONFIGURED),
        (("egress_refused",), (500, "Failed to start recording")),
        (("code=internal", START), (500, "Failed to start recording")),
        (("not_found", START), (400, "Call not active")),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_recording_that_cannot_be_started_is_failed_and_the_next_may_begin(
    alice: ApiClient, call: Call, livekit: RunningLiveKit, settings: Settings, faults: tuple[str, ...],
    answer: tuple[int, str],
) -> None:  # fmt: skip
    faulty(settings, livekit, *faults)
    refusal = alice.post(RECORDING, roomName=ROOM)
    assert refused(refusal) == answer
    assert ("Retry-After" in refusal.headers) == (answer == NO_ANSWER)
    failed = only_recording()
    assert (failed.state, failed.external_id) == ("failed", None)
    assert failed.error.startswith("livekit")
    assert [event.kind for event in CallEvent.objects.filter(call=call)] == ["recording_failed"]
    settings.LIVEKIT_INTERNAL_URL = livekit.url
    assert alice.post(RECORDING, roomName=ROOM).status_code == 200


def test_no_server_responds(alice: ApiClient, call: Call, settings: Settings) -> None:
    settings.LIVEKIT_INTERNAL_URL = "http://127.0.0.1:9"
    assert refused(alice.post(RECORDING, roomName=ROOM)) == NO_ANSWER
    assert only_recording().state == "failed"


def test_a_recording_whose_start_was_not_answered_is_stopped(
    alice: ApiClient, call: Call, livekit: RunningLiveKit, settings: Settings, client: LiveKitClient
) -> None:
    faulty(settings, livekit, "lost_answer", START)
    assert refused(alice.post(RECORDING, roomName=ROOM)) == NO_ANSWER
    running = client.list_recordings(ROOM, is_active=True)
    assert len(running) == 1  # LiveKit had begun
    soon(lambda: client.list_recordings(ROOM)[0].status is EgressStatus.ACTIVE)
    settings.LIVEKIT_INTERNAL_URL = livekit.url
    assert outbox.process_due(["recording.stop"]) == 1
    soon(lambda: client.list_recordings(ROOM, is_active=True) == ())
    assert only_recording().external_id == running[0].egress_id


def test_stopping_what_was_never_answered_waits_for_livekit_to_come_back(
    alice: ApiClient, call: Call, livekit: RunningLiveKit, settings: Settings
) -> None:
    faulty(settings, livekit, "away")
    alice.post(RECORDING, roomName=ROOM)
    assert outbox.process_due(["recording.stop"]) == 0
    message = OutboxMessage.objects.get()
    assert (message.state, message.attempts) == (OutboxMessage.State.WAITING, 1)


def test_a_bucket_or_livekit_that_is_not_named(alice: ApiClient, call: Call, settings: Settings) -> None:
    for setting in ("LIVEKIT_RECORDING_BUCKET", "LIVEKIT_INTERNAL_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        kept = getattr(settings, setting)
        setattr(settings, setting, "")
        assert refused(alice.post(RECORDING, roomName=ROOM)) == (503, "Recording service not configured")
        assert not Recording.objects.exists()
        setattr(settings, setting, kept)
    alice.post(RECORDING, roomName=ROOM)
    settings.LIVEKIT_RECORDING_BUCKET = ""
    assert refused(alice.delete(RECORDING, roomName=ROOM)) == (503, "Recording service not configured")
    assert alice.get(RECORDING, roomName=ROOM).json()["recording"]["isActive"] is True


@pytest.mark.parametrize("fault", ["away", "slow", "reset", "credentials"])
def test_a_recording_that_cannot_be_stopped_runs_on(
    alice: ApiClient, call: Call, livekit: RunningLiveKit, settings: Settings, fault: str
) -> None:
    alice.post(RECORDING, roomName=ROOM)
    faulty(settings, livekit, fault, STOP)
    assert refused(alice.delete(RECORDING, roomName=ROOM)) == NO_ANSWER
    assert only_recording().is_running
    settings.LIVEKIT_INTERNAL_URL = livekit.url
    assert alice.delete(RECORDING, roomName=ROOM).status_code == 200


def test_a_stop_without_a_response_is_found_to_be_done(
    alice: ApiClient, call: Call, livekit: RunningLiveKit, settings: Settings
) -> None:
    alice.post(RECORDING, roomName=ROOM)
    faulty(settings, livekit, "lost_answer", STOP)
    assert refused(alice.delete(RECORDING, roomName=ROOM)) == NO_ANSWER
    settings.LIVEKIT_INTERNAL_URL = livekit.url
    assert alice.delete(RECORDING, roomName=ROOM).json()["message"] == "Recording stopped successfully"
    assert not only_recording().is_running


def test_one_that_had_ended_without_our_hearing_is_stopped_all_the_same(
    alice: ApiClient, call: Call, client: LiveKitClient
) -> None:
    egress_id = alice.post(RECORDING, roomName=ROOM).json()["recording"]["egressId"]
    becomes(client, egress_id, EgressStatus.ACTIVE)
    client.stop_recording(egress_id)
    soon(lambda: (fact := client.find_recording(egress_id)) and fact.is_over)
    answer = alice.delete(RECORDING, roomName=ROOM)
    assert answer.status_code == 200
    assert answer.json()["recordingUrl"]
    assert only_recording().has_file
    assert refused(alice.delete(RECORDING, roomName=ROOM)) == (404, "No active recording")


def test_one_that_livekit_has_forgotten_is_failed(alice: ApiClient, call: Call, livekit: RunningLiveKit) -> None:
    egress_id = alice.post(RECORDING, roomName=ROOM).json()["recording"]["egressId"]
    livekit.do(lambda backend: backend.recorder.recordings.clear())
    assert refused(alice.delete(RECORDING, roomName=ROOM)) == (404, "No active recording")
    lost = only_recording()
    assert (lost.state, lost.external_id) == ("failed", egress_id)
    assert alice.get(RECORDING, roomName=ROOM).json()["recordingUrl"] is None


def test_no_row_is_locked_during_a_request_to_livekit(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = []

    def noting(name: str) -> None:
        real = getattr(LiveKitClient, name)

        def record_request(*given: Any, **named: Any) -> Any:
            requests.append((name, connection.in_atomic_block))
            return real(*given, **named)

        monkeypatch.setattr(LiveKitClient, name, record_request)

    for name in ("start_room_recording", "stop_recording", "find_recording"):
        noting(name)
    start_recording(call)
    stop_recording(call)
    reconcile_recording(only_recording())
    assert requests == [("start_room_recording", False), ("stop_recording", False), ("find_recording", False)]


def test_of_many_starts_at_once_one_wins(alice: ApiClient, call: Call, client: LiveKitClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: alice.post(RECORDING, roomName=ROOM), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert len(client.list_recordings(ROOM)) == 1
    assert call.recordings.count() == 1


def test_of_many_stops_at_once_none_fails(alice: ApiClient, call: Call, client: LiveKitClient) -> None:
    egress_id = alice.post(RECORDING, roomName=ROOM).json()["recording"]["egressId"]
    becomes(client, egress_id, EgressStatus.ACTIVE)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: alice.delete(RECORDING, roomName=ROOM), range(6)))
    assert {answer.status_code for answer in answers} <= {200, 404}
    assert 200 in {answer.status_code for answer in answers}
    assert not only_recording().is_running


def test_a_recording_that_is_stopped_while_it_starts_is_stopped_by_its_starter(
    alice: ApiClient, call: Call, livekit: RunningLiveKit, settings: Settings, client: LiveKitClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(livekit_client, "EGRESS_TIMEOUT_S", 10)
    faulty(settings, livekit, "slow=700", START)
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(alice.post, RECORDING, roomName=ROOM)
        soon(lambda: Recording.objects.exists())
        assert alice.get(RECORDING, roomName=ROOM).json()["recording"]["status"] == "starting"
        assert alice.delete(RECORDING, roomName=ROOM).json()["success"] is True
        assert starting.result().json()["recording"]["status"] == "ending"
    soon(lambda: client.list_recordings(ROOM, is_active=True) == ())

"""LiveKit's reports of a recording, in every order and more than once, always end the same."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools

import pytest
from django.utils import timezone

from agents.organizations.models import Organization
from agents.tests.builders import make_organization
from recordings.models import Recording
from recordings.services.reports import STOP, apply_report
from recordings.sources.livekit import STATES, report_of
from sessions.calls.models import Call, CallEvent
from sessions.messages.models import OutboxMessage
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.livekit.values import EgressStatus, RecordedFile, RoomRecording

pytestmark = pytest.mark.django_db

BEGAN = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
KEY = "recordings/harbour/2026/01/1.ogg"
FILE = RecordedFile(name=KEY, location=f"s3://{KEY}", size_bytes=1234, duration_ms=65_000)


def fact(status: EgressStatus, after_s: float, **values: object) -> RoomRecording:
    given: dict[str, object] = {
        "egress_id": "EG_1",
        "room": ROOM,
        "room_sid": "RM_1",
        "status": status,
        "started_at": BEGAN,
        "updated_at": BEGAN + dt.timedelta(seconds=after_s),
        "ended_at": None,
        "error": "",
        "error_code": 0,
        "file": None,
        "requested_path": KEY,
    }
    return RoomRecording(**(given | values))  # type: ignore[arg-type]


STARTING = fact(EgressStatus.STARTING, 0)
ACTIVE = fact(EgressStatus.ACTIVE, 1)
ENDING = fact(EgressStatus.ENDING, 65)
COMPLETE = fact(EgressStatus.COMPLETE, 70, ended_at=BEGAN + dt.timedelta(seconds=66), file=FILE)
LIFE = (STARTING, ACTIVE, ENDING, COMPLETE)


@pytest.fixture
def call(db: None) -> Call:
    return make_room_call(make_organization("Harbour"))


@pytest.fixture
def recording(call: Call) -> Recording:
    return Recording.objects.create(call=call, external_id="EG_1", key=KEY, bucket="b", file_type="ogg")


def apply(fact: RoomRecording) -> Recording | None:
    return apply_report(report_of(fact))


def as_kept(recording: Recording) -> tuple[object, ...]:
    recording.refresh_from_db()
    return (
        recording.state,
        recording.started_at,
        recording.ended_at,
        recording.size_bytes,
        recording.duration_ms,
        recording.error,
    )


@pytest.mark.parametrize(
    "order", list(itertools.permutations(LIFE)), ids=lambda order: "-".join(f.status for f in order)
)
def test_reports_in_any_order_and_twice_end_the_same(recording: Recording, order: tuple[RoomRecording, ...]) -> None:
    for each in order + order[::-1]:
        apply(each)
    assert as_kept(recording) == ("stored", BEGAN, COMPLETE.ended_at, 1234, 65_000, "")
    assert recording.reported_at == COMPLETE.updated_at
    assert recording.has_file
    assert [event.kind for event in CallEvent.objects.all()] == ["recording_ended"]


def test_a_status_never_goes_back(recording: Recording) -> None:
    seen = []
    for each in (ACTIVE, STARTING, ENDING, ACTIVE, COMPLETE, ENDING, STARTING):
        apply(each)
        recording.refresh_from_db()
        seen.append(recording.state)
    assert seen == ["recording", "recording", "storing", "storing", "stored", "stored", "stored"]


@pytest.mark.parametrize("end", [EgressStatus.COMPLETE, EgressStatus.ABORTED, EgressStatus.LIMIT_REACHED])
def test_an_end_is_final(recording: Recording, end: EgressStatus) -> None:
    apply(fact(end, 70))
    for other in EgressStatus:
        apply(fact(other, 100, error="another end"))
    assert as_kept(recording)[0] == STATES[end]
    assert recording.error == ""


@pytest.mark.parametrize("end", [EgressStatus.FAILED, EgressStatus.ABORTED])
def test_a_recording_that_failed_says_why_and_has_no_file(recording: Recording, end: EgressStatus) -> None:
    apply(fact(end, 70, error="upload failed: AccessDenied\0", error_code=500))
    assert as_kept(recording)[0] == STATES[end]
    assert recording.error == "upload failed: AccessDenied"
    assert not recording.has_file
    assert recording.ended_at


def test_what_we_gave_up_yields_to_what_livekit_says_of_its_end(recording: Recording) -> None:
    Recording.objects.update(state="failed", error="We lost it.", ended_at=timezone.now())
    apply(COMPLETE)
    assert as_kept(recording)[0] == "stored"
    assert recording.error == ""
    assert recording.has_file


def test_an_end_without_a_file_has_no_file(recording: Recording) -> None:
    apply(dataclasses.replace(COMPLETE, file=None))
    assert as_kept(recording)[0] == "stored"
    assert not recording.has_file


def test_a_report_without_a_time_is_saved_if_the_state_advances(recording: Recording) -> None:
    apply(dataclasses.replace(ACTIVE, updated_at=None))
    assert as_kept(recording)[0] == "recording"
    apply(dataclasses.replace(COMPLETE, updated_at=None, ended_at=None))
    assert as_kept(recording)[0] == "stored"


def test_an_unknown_status_changes_nothing(recording: Recording) -> None:
    assert apply(fact(EgressStatus.UNKNOWN, 5)) == recording
    assert as_kept(recording)[0] == "starting"


def test_the_recordings_of_others_are_none_of_ours(recording: Recording) -> None:
    assert apply(fact(EgressStatus.COMPLETE, 5, egress_id="EG_other", requested_path="other.ogg")) is None
    assert as_kept(recording)[0] == "starting"
    assert Recording.objects.count() == 1


def test_a_webhook_that_overtakes_livekits_answer_finds_the_row_by_its_file(recording: Recording) -> None:
    Recording.objects.update(external_id=None)
    apply(ACTIVE)
    recording.refresh_from_db()
    assert (recording.external_id, recording.state) == ("EG_1", "recording")
    assert [event.kind for event in CallEvent.objects.all()] == ["recording_started"]
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("state", ["failed", "storing"])
def test_one_that_runs_although_it_was_given_up_is_to_be_stopped(recording: Recording, state: str) -> None:
    Recording.objects.update(external_id=None, state=state)
    apply(ACTIVE)
    assert as_kept(recording)[0] == state
    assert [message.topic for message in OutboxMessage.objects.all()] == [STOP]


def test_another_call_s_file_is_never_taken_for_ours(recording: Recording, call: Call) -> None:
    assert apply(fact(EgressStatus.ACTIVE, 1, egress_id="EG_2")) is None
    recording.refresh_from_db()
    assert (recording.external_id, recording.state) == ("EG_1", "starting")
    assert isinstance(call.organization, Organization)

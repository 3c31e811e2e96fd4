"""What LiveKit tells of a recording, in every order and more than once, always ends the same."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools

import pytest
from django.utils import timezone

from agents.organizations.models import Organization
from agents.tests.builders import make_organization
from recordings.models import Recording
from recordings.services.events import UNDO, recording_changed
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
        "asked_path": KEY,
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
    return Recording.objects.create(call=call, egress_id="EG_1", key=KEY, bucket="b", file_type="ogg")


def as_kept(recording: Recording) -> tuple[object, ...]:
    recording.refresh_from_db()
    return (
        recording.status,
        recording.started_at,
        recording.ended_at,
        recording.size_bytes,
        recording.duration_ms,
        recording.error,
    )


@pytest.mark.parametrize(
    "order", list(itertools.permutations(LIFE)), ids=lambda order: "-".join(f.status for f in order)
)
def test_a_life_told_in_any_order_and_twice_ends_the_same(
    recording: Recording, order: tuple[RoomRecording, ...]
) -> None:
    for each in order + order[::-1]:
        recording_changed(each)
    assert as_kept(recording) == ("complete", BEGAN, COMPLETE.ended_at, 1234, 65_000, "")
    assert recording.told_at == COMPLETE.updated_at
    assert recording.has_file
    assert [event.kind for event in CallEvent.objects.all()] == ["recording_ended"]


def test_a_status_never_goes_back(recording: Recording) -> None:
    seen = []
    for each in (ACTIVE, STARTING, ENDING, ACTIVE, COMPLETE, ENDING, STARTING):
        recording_changed(each)
        recording.refresh_from_db()
        seen.append(recording.status)
    assert seen == ["active", "active", "ending", "ending", "complete", "complete", "complete"]


@pytest.mark.parametrize("end", [EgressStatus.COMPLETE, EgressStatus.ABORTED, EgressStatus.LIMIT_REACHED])
def test_an_end_is_final(recording: Recording, end: EgressStatus) -> None:
    recording_changed(fact(end, 70))
    for other in EgressStatus:
        recording_changed(fact(other, 100, error="another end"))
    assert as_kept(recording)[0] == end.value
    assert recording.error == ""


@pytest.mark.parametrize("end", [EgressStatus.FAILED, EgressStatus.ABORTED])
def test_a_recording_that_failed_says_why_and_has_no_file(recording: Recording, end: EgressStatus) -> None:
    recording_changed(fact(end, 70, error="upload failed: AccessDenied\0", error_code=500))
    assert as_kept(recording)[0] == end.value
    assert recording.error == "upload failed: AccessDenied"
    assert not recording.has_file
    assert recording.ended_at


def test_what_we_gave_up_yields_to_what_livekit_says_of_its_end(recording: Recording) -> None:
    Recording.objects.update(status="failed", error="We lost it.", ended_at=timezone.now())
    recording_changed(COMPLETE)
    assert as_kept(recording)[0] == "complete"
    assert recording.error == ""
    assert recording.has_file


def test_an_end_without_a_file_has_no_file(recording: Recording) -> None:
    recording_changed(dataclasses.replace(COMPLETE, file=None))
    assert as_kept(recording)[0] == "complete"
    assert not recording.has_file


def test_a_fact_without_its_moment_is_kept_when_it_moves_on(recording: Recording) -> None:
    recording_changed(dataclasses.replace(ACTIVE, updated_at=None))
    assert as_kept(recording)[0] == "active"
    recording_changed(dataclasses.replace(COMPLETE, updated_at=None, ended_at=None))
    assert as_kept(recording)[0] == "complete"


def test_a_status_that_nobody_knows_changes_nothing(recording: Recording) -> None:
    assert recording_changed(fact(EgressStatus.UNKNOWN, 5)) == recording
    assert as_kept(recording)[0] == "starting"


def test_the_recordings_of_others_are_none_of_ours(recording: Recording) -> None:
    assert recording_changed(fact(EgressStatus.COMPLETE, 5, egress_id="EG_other", asked_path="other.ogg")) is None
    assert as_kept(recording)[0] == "starting"
    assert Recording.objects.count() == 1


def test_a_webhook_that_overtakes_livekits_answer_finds_the_row_by_its_file(recording: Recording) -> None:
    Recording.objects.update(egress_id=None)
    recording_changed(ACTIVE)
    recording.refresh_from_db()
    assert (recording.egress_id, recording.status) == ("EG_1", "active")
    assert [event.kind for event in CallEvent.objects.all()] == ["recording_started"]
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("status", ["failed", "ending"])
def test_one_that_runs_although_it_was_given_up_is_to_be_stopped(recording: Recording, status: str) -> None:
    Recording.objects.update(egress_id=None, status=status)
    recording_changed(ACTIVE)
    assert as_kept(recording)[0] == status
    assert [message.topic for message in OutboxMessage.objects.all()] == [UNDO]


def test_another_call_s_file_is_never_taken_for_ours(recording: Recording, call: Call) -> None:
    assert recording_changed(fact(EgressStatus.ACTIVE, 1, egress_id="EG_2")) is None
    recording.refresh_from_db()
    assert (recording.egress_id, recording.status) == ("EG_1", "starting")
    assert isinstance(call.organization, Organization)

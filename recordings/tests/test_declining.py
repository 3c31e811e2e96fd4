"""A caller does not want to be recorded: it ends at once, is deleted everywhere, and nothing records the call again."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from agents.configuration.models import Agent
from agents.organizations.models import Organization
from agents.privacy.models import PrivacySettings
from agents.tests.builders import make_agent
from agents.tests.people import ApiClient, refused
from recordings.files import store_file
from recordings.finishing import services as finishing
from recordings.finishing.audio import Audio
from recordings.models import Recording
from recordings.retention import purge_recordings
from recordings.services.automatic import START, enqueue_phone_recording
from recordings.services.bridge import begin_bridge_recording, end_bridge_recording
from recordings.services.declining import (
    DECLINE,
    DECLINED,
    DELETED_AFTERWARDS,
    NOT_RECORDED,
    NOT_STOPPED,
    STOPPED,
    STOPPED_AND_DELETED,
    delete_unnoted,
)
from recordings.services.reports import apply_report, begin_at_source
from recordings.services.room_agent import agent_ended, recording_of_agent
from recordings.services.starting import accept_start
from recordings.sources.report import RecordingReport
from recordings.sources.room_agent import folder_of
from recordings.spool.folder import spool_path
from sessions.calls.declined_recordings import DeclinedBy, decline_recording
from sessions.calls.facts import LineSpoken, Speaker
from sessions.calls.models import Call
from sessions.calls.outcomes import RecordingEnd
from sessions.calls.services import record_facts
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.tests.builders import Phone, make_call, make_room_call

from .calls import RECORDING, only_recording

pytestmark = pytest.mark.django_db

State, Source = Recording.State, Recording.Source


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.RECORDINGS_DIR, settings.LIVEKIT_RECORDING_BUCKET = str(tmp_path), ""
    settings.TWILIO_ACCOUNT_SID = settings.VAPI_API_KEY = ""
    spool_path("x").parent.mkdir()
    return tmp_path


@pytest.fixture
def agent(harbour: Organization) -> Agent:
    return make_agent(harbour)


@pytest.fixture
def call(agent: Agent) -> Call:
    return make_call(agent)


def recorded(call: Call, source: Recording.Source, **values: object) -> Recording:
    given: dict[str, object] = {"state": State.RECORDING, "external_id": f"id-{source}", "file_type": "ogg", **values}
    return Recording.objects.create(call=call, source=source, **given)


def works() -> int:
    """What a worker does about it."""
    return outbox.process_due([DECLINE])


def kinds(call: Call) -> list[str]:
    return list(call.events.order_by("id").values_list("kind", flat=True))


def hold(call: Call) -> None:
    assert call.organization is not None
    PrivacySettings.objects.create(organization=call.organization, is_on_hold=True, hold_reason="A case")


def later(hours: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + dt.timedelta(hours=hours), tick=True)


def test_the_tool_stops_deletes_and_says_so(call: Call) -> None:
    assert begin_bridge_recording(call.pk, tape_id="tape1", starts_at_ms=0)
    spool_path("tape1").write_bytes(b"sound")
    phone = Phone(call.pk)
    assert phone.use("stop_recording") == {"ok": True, "say": STOPPED_AND_DELETED, "recording": "deleted"}
    assert (phone.results[-1].recording, phone.results[-1].then) == (RecordingEnd.DELETED, None)
    recording = only_recording()
    assert (recording.state, recording.error) == (State.CANCELED, DECLINED)
    # Of the process that carries the call nothing more is needed.
    assert works() == 1
    assert not spool_path("tape1").exists()
    assert not end_bridge_recording("tape1", has_sound=True, fault="")
    assert kinds(call) == ["recording_started", "recording_declined", "recording_ended", "recording_deleted"]
    assert only_recording().step == ""


def test_a_repeated_wish_deletes_once_and_an_unrecorded_call_says_that_it_is(call: Call) -> None:
    recorded(call, Source.BRIDGE)
    assert decline_recording(call.pk, by=DeclinedBy.KEY).say == STOPPED_AND_DELETED
    assert decline_recording(call.pk, by=DeclinedBy.KEY).say == NOT_RECORDED
    assert (works(), works()) == (1, 0)
    assert [kinds(call).count(kind) for kind in ("recording_declined", "recording_deleted")] == [1, 1]


def test_all_parts_go_with_file_words_and_waveform_and_voicemail_stays(call: Call, folder: Path) -> None:
    stored = {
        "state": State.STORED,
        "size_bytes": 4,
        "peaks": b"x",
        "transcript": "Hello.",
        "url": "https://x.example/a",
    }
    first = recorded(call, Source.BRIDGE, key="recordings/a/first.ogg", external_id="first", **stored)
    second = recorded(call, Source.BRIDGE, external_id="second")
    message = recorded(call, Source.TWILIO, key="recordings/a/message.ogg", external_id="RE1", **stored)
    call.voicemails.create(recording=message, recording_sid="RE1", why="closed")
    for each in (first, message):
        store_file(each.key, b"OggS", file_type="ogg")
    decline_recording(call.pk, by=DeclinedBy.TOOL)
    assert works() == 2
    assert [path.name for path in folder.rglob("*.ogg")] == ["message.ogg"]
    for each in (first, second):
        each.refresh_from_db()
        left = (each.key, each.url, each.transcript, each.peaks, each.size_bytes, each.has_file)
        assert (each.state, *left) == (State.CANCELED, "", "", "", None, None, False)
    message.refresh_from_db()
    assert message.has_file


def test_nothing_records_the_call_from_then_on(call: Call, alice: ApiClient, harbour: Organization) -> None:
    decline_recording(call.pk, by=DeclinedBy.KEY)
    assert not begin_bridge_recording(call.pk, tape_id="tape2", starts_at_ms=45_000)
    assert enqueue_phone_recording(call) is None
    assert begin_at_source(call, Source.VAPI, external_id="vapi-1") is None
    room = make_room_call(harbour, is_recording_wanted=True, recording_declined_at=timezone.now())
    assert recording_of_agent(room.pk) == ""
    answer = alice.post(RECORDING, roomName=room.room_name)
    assert answer.status_code in (409, 503)
    assert not Recording.objects.exists()


def test_the_api_says_that_the_caller_declined(harbour: Organization, alice: ApiClient, settings: Settings) -> None:
    settings.LIVEKIT_INTERNAL_URL, settings.LIVEKIT_RECORDING_BUCKET = "http://127.0.0.1:1", "calls"
    settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET = "key", "s" * 32
    room = make_room_call(harbour, recording_declined_at=timezone.now())
    answer = alice.post(RECORDING, roomName=room.room_name)
    assert refused(answer) == (409, "Recording declined by the caller")


def test_who_is_finishing_it_drops_what_was_made(call: Call) -> None:
    recording = recorded(call, Source.BRIDGE)
    assert finishing.enqueue_finishing(recording)
    running = finishing.recording_to_finish(recording.pk)
    assert running is not None
    decline_recording(call.pk, by=DeclinedBy.TOOL)
    finishing.begin_step(running, finishing.Step.TRANSCODE)
    finishing.choose_key(running)
    audio = Audio(duration_ms=1000, loud=(b"\1", b"\1"), peaks=b"")
    assert not finishing.keep_file(running, audio, bucket="", size_bytes=4)
    finishing.close_finishing(running, note="")
    recording.refresh_from_db()
    assert (recording.state, recording.step, recording.error, recording.key) == (State.CANCELED, "clean", DECLINED, "")
    assert finishing.recording_to_finish(recording.pk) is None
    assert not finishing.retry_finishing(recording)


def test_the_agent_of_a_room_stops_and_its_folder_goes(agent: Agent, harbour: Organization) -> None:
    room = make_room_call(harbour, agent=agent, agent_version=agent.published_version)
    recording = recorded(room, Source.ROOM_AGENT, external_id="AR_1")
    Recording.objects.filter(pk=recording.pk).update(external_id=f"AR_{recording.pk}")
    file = folder_of(f"AR_{recording.pk}") / "000000000.ogg"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"OggS")
    assert decline_recording(room.pk, by=DeclinedBy.TOOL).say == STOPPED_AND_DELETED
    assert recording_of_agent(room.pk) == "", "which the agent reads, and stops"
    assert works() == 1
    assert OutboxMessage.objects.filter(topic="room.state").exists()
    file.parent.mkdir()
    file.write_bytes(b"the end of it")
    agent_ended(f"AR_{recording.pk}")
    assert not file.parent.exists()
    assert only_recording().state == State.CANCELED


def test_vapi_records_to_the_end_of_its_call_which_is_deleted_after_its_report(call: Call) -> None:
    recorded(call, Source.VAPI)
    assert decline_recording(call.pk, by=DeclinedBy.TOOL).say == DELETED_AFTERWARDS
    works()
    assert "recording_deleted" not in kinds(call)
    Call.objects.update(state="completed", ended_at=timezone.now())
    with later(0.1):
        works()
    assert "recording_deleted" in kinds(call)
    for _ in range(2):
        delete_unnoted(call, Source.VAPI, "the-second-part")
    with later(0.1):
        assert works() == 1
    assert {(each.state, each.step) for each in Recording.objects.all()} == {("canceled", "")}


def test_under_a_legal_hold_it_ends_and_what_there_is_stays_until_the_hold_is_lifted(call: Call) -> None:
    hold(call)
    begin_bridge_recording(call.pk, tape_id="tape1", starts_at_ms=0)
    declined = decline_recording(call.pk, by=DeclinedBy.KEY)
    assert (declined.say, declined.recording) == (STOPPED, RecordingEnd.KEPT)
    works()
    assert end_bridge_recording("tape1", has_sound=True, fault=DECLINED)
    Recording.objects.update(state=State.CUT_SHORT, step="", key="recordings/a/b.ogg", size_bytes=4)
    assert purge_recordings() == 0
    PrivacySettings.objects.update(is_on_hold=False)
    assert purge_recordings() == 1
    assert call.events.get(kind="recording_deleted").detail == {"why": DECLINED}


def test_a_hold_that_came_in_between_keeps_the_file_until_it_is_lifted(call: Call) -> None:
    recorded(call, Source.BRIDGE, external_id="tape1")
    spool_path("tape1").write_bytes(b"sound")
    decline_recording(call.pk, by=DeclinedBy.KEY)
    hold(call)
    works()
    assert spool_path("tape1").exists()
    PrivacySettings.objects.all().delete()
    with later(1.1):
        works()
    assert not spool_path("tape1").exists()


def test_what_vapi_records_under_a_hold_goes_on_and_the_caller_hears_so(call: Call) -> None:
    hold(call)
    recorded(call, Source.VAPI)
    answer = Phone(call.pk).use("stop_recording")
    assert answer == {"ok": False, "say": NOT_STOPPED}
    assert only_recording().state == State.RECORDING
    call.refresh_from_db()
    assert call.recording_declined_at is None


def test_a_start_that_the_source_accepts_late_is_deleted_too(call: Call) -> None:
    late = enqueue_phone_recording(call)
    assert late is not None
    decline_recording(call.pk, by=DeclinedBy.TOOL)
    OutboxMessage.objects.filter(topic=DECLINE).delete()
    report = RecordingReport(source=Source.TWILIO, external_id="RE" + "1" * 32, state=State.RECORDING)
    assert accept_start(late, report).state == State.CANCELED
    assert OutboxMessage.objects.filter(topic=DECLINE).count() == 1
    # Or its response was lost, and the start is tried once more.
    OutboxMessage.objects.filter(topic=DECLINE).delete()
    assert outbox.process_due([START]) == 1
    assert OutboxMessage.objects.filter(topic=DECLINE).count() == 1


def test_a_report_does_not_bring_it_back(call: Call) -> None:
    recording = recorded(call, Source.TWILIO, external_id="RE" + "1" * 32)
    decline_recording(call.pk, by=DeclinedBy.TOOL)
    for state, is_fetchable in ((State.RECORDING, False), (State.STORING, True), (State.STORED, False)):
        report = RecordingReport(source=Source.TWILIO, external_id="RE" + "1" * 32, state=state,
                                 reported_at=timezone.now(), is_fetchable=is_fetchable)  # fmt: skip
        apply_report(report)
    recording.refresh_from_db()
    assert recording.state == State.CANCELED
    assert not OutboxMessage.objects.filter(topic=finishing.FINISH).exists()


def say(call: Call, item: str, text: str, *, turn: int = 1) -> None:
    record_facts(call.pk, [LineSpoken(item, Speaker.CALLER, text, 1_000, turn)])


def written(call: Call) -> list[tuple[str, int]]:
    return list(call.lines.order_by("item_id").values_list("text", "turn"))


def test_what_was_said_is_not_kept_in_writing_either_but_turns_are_counted(call: Call) -> None:
    recorded(call, Source.BRIDGE)
    say(call, "a", "I like my privacy.")
    decline_recording(call.pk, by=DeclinedBy.TOOL)
    say(call, "a", "I like my privacy, really.")
    say(call, "b", "One funghi.", turn=2)
    assert written(call) == [("", 1), ("", 2)]
    assert "privacy" not in "".join(call.lines.values_list("words", flat=True))
    assert call.events.get(kind="recording_declined").detail == {"by": "tool", "transcript": "emptied"}


def test_an_organization_may_keep_what_was_said(call: Call, harbour: Organization) -> None:
    PrivacySettings.objects.create(organization=harbour, deletes_declined_words=False)
    say(call, "a", "Before.")
    decline_recording(call.pk, by=DeclinedBy.KEY)
    say(call, "b", "After.")
    assert written(call) == [("Before.", 1), ("After.", 1)]


def test_a_hold_keeps_what_was_written_before_until_it_is_lifted(call: Call) -> None:
    hold(call)
    recorded(call, Source.BRIDGE, state=State.STORED)
    say(call, "a", "Before.")
    decline_recording(call.pk, by=DeclinedBy.KEY)
    say(call, "b", "After.")
    assert written(call) == [("Before.", 1), ("", 1)]
    PrivacySettings.objects.update(is_on_hold=False)
    assert purge_recordings() == 1
    assert written(call) == [("", 1), ("", 1)]

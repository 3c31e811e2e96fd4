"""A message is fetched from Twilio as soon as it is there, checked, and stored once, whatever fails meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from django.db import connections
from pytest_django import Settings

from recordings.files import read_file
from recordings.models import Recording
from sessions.calls.models import Call
from sessions.messages.outbox import outbox
from sessions.tests.builders import make_endpoint
from telephony.twilio.models import PhoneNumber
from telephony.twilio.tests.conftest import Twilio
from telephony.twilio.voicemail.models import Voicemail
from telephony.twilio.voicemail.services import fetch_again
from voiceapp.simulators import mulaw, speech
from voiceapp.simulators.twilio.recording import mono_wav
from voiceapp.simulators.twilio.tests.running import RunningTwilio
from voiceapp.tests.dying import Point, in_a_process_that_dies

from .conftest import jobs, keep, noise, only_voicemail, report, silent, spoken, work

pytestmark = pytest.mark.django_db(transaction=True)

State = Voicemail.State
FETCH = "telephony.twilio.voicemail.jobs"
DOWNLOAD = "voiceapp.providers.twilio.recordings:TwilioRecordings"


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_message_is_stored_as_twilio_has_it(
    twilio: Twilio, call: Call, carrier: RunningTwilio, own_folder: Path
) -> None:
    audio = spoken()
    sid = keep(carrier, audio)
    assert report(twilio, sid) == 204
    work("fetch")
    voicemail = only_voicemail()
    assert (voicemail.state, voicemail.recording_sid, voicemail.why) == (State.STORED, sid, "nobody_there")
    recording = voicemail.recording
    assert recording is not None
    assert (recording.source, recording.external_id, recording.file_type) == (Recording.Source.TWILIO, sid, "wav")
    assert read_file(recording) == mono_wav(audio)
    assert recording.size_bytes == len(mono_wav(audio))
    assert recording.duration_ms == len(audio) // 8
    (path,) = files(own_folder)
    assert path.relative_to(own_folder).parts[:2] == ("recordings", str(call.organization_id))
    assert call.events.filter(kind="voicemail_stored").exists()


@pytest.mark.parametrize("first", ["action", "callback"])
def test_both_of_twilios_reports_open_one_voicemail(
    twilio: Twilio, call: Call, carrier: RunningTwilio, first: str
) -> None:
    sid = keep(carrier, spoken())

    def act() -> None:
        assert twilio.post("/twiml/after-message", RecordingSid=sid, RecordingDuration="3").status_code == 200

    def call_back() -> None:
        assert report(twilio, sid) == 204

    for step in (act, call_back, call_back, act) if first == "action" else (call_back, act, act, call_back):
        step()
    assert len(jobs("fetch")) == 1
    work("fetch")
    act()
    call_back()
    work("fetch")
    assert only_voicemail().state == State.STORED
    assert Recording.objects.count() == 1


def test_the_audio_comes_later_than_the_report(
    twilio: Twilio, call: Call, carrier: RunningTwilio, settings: Settings
) -> None:
    settings.TWILIO_BASE_URL = carrier.fault_url("media_late=60000")
    report(twilio, keep(carrier, spoken()))
    work("fetch")
    voicemail = only_voicemail()
    assert (voicemail.state, voicemail.explanation) == (
        State.FETCHING, "Not fetched yet: twilio: the recording is not stored yet",
    )  # fmt: skip
    (job,) = jobs("fetch")
    assert (job.state, job.attempts) == ("waiting", 0), "waiting for Twilio uses up no attempt"
    work("fetch")
    assert only_voicemail().state == State.FETCHING, "not before its time"
    settings.TWILIO_BASE_URL = carrier.url
    work("fetch", later=dt.timedelta(seconds=30))
    assert only_voicemail().state == State.STORED
    assert only_voicemail().explanation == ""


@pytest.mark.parametrize("fault", ["rest_500", "media_late=99999999"])
def test_an_outage_of_most_of_a_day_loses_nothing(
    twilio: Twilio, call: Call, carrier: RunningTwilio, settings: Settings, fault: str
) -> None:
    settings.TWILIO_BASE_URL = carrier.fault_url(fault)
    report(twilio, keep(carrier, spoken()))
    for hours in range(0, 23, 2):
        work("fetch", later=dt.timedelta(hours=hours))
        assert only_voicemail().state == State.FETCHING
    settings.TWILIO_BASE_URL = carrier.url
    work("fetch", later=dt.timedelta(hours=23))
    assert only_voicemail().state == State.STORED


def test_a_recording_that_was_deleted_at_twilio_is_lost_after_ten_minutes_with_the_reason(
    twilio: Twilio, call: Call, carrier: RunningTwilio, settings: Settings
) -> None:
    settings.TWILIO_BASE_URL = carrier.fault_url("media_gone")
    report(twilio, keep(carrier, spoken()))
    work("fetch")
    assert only_voicemail().state == State.FETCHING
    work("fetch", later=dt.timedelta(minutes=11))
    voicemail = only_voicemail()
    assert voicemail.state == State.LOST
    assert voicemail.explanation == "The recording was deleted at Twilio before it could be fetched."
    assert call.events.filter(kind="voicemail_lost").count() == 1
    # Somebody restores it, or it was the wrong account.
    settings.TWILIO_BASE_URL = carrier.url
    fetch_again(voicemail)
    work("fetch")
    assert only_voicemail().state == State.STORED


@pytest.mark.parametrize(
    ("fault", "why"),
    [("media_garbage", "The file is no audio file that can be read."), ("media_cut", "The file is cut off.")],
)
def test_what_is_no_audio_is_fetched_again_and_then_given_up(
    twilio: Twilio, call: Call, carrier: RunningTwilio, settings: Settings, own_folder: Path, fault: str, why: str
) -> None:
    settings.TWILIO_BASE_URL = carrier.fault_url(fault)
    report(twilio, keep(carrier, spoken()))
    work("fetch")
    assert only_voicemail().explanation == f"Not fetched yet: twilio: {why}"
    work("fetch", later=dt.timedelta(minutes=11))
    assert (only_voicemail().state, only_voicemail().explanation) == (State.LOST, why)
    assert files(own_folder) == []


def test_wrong_credentials_stop_the_attempts_until_somebody_retries(
    twilio: Twilio, call: Call, carrier: RunningTwilio, settings: Settings
) -> None:
    report(twilio, keep(carrier, spoken()))
    token, settings.TWILIO_AUTH_TOKEN = settings.TWILIO_AUTH_TOKEN, "wrong"
    work("fetch")
    assert [job.state for job in jobs("fetch")] == ["failed"]
    assert "401" in only_voicemail().explanation
    settings.TWILIO_AUTH_TOKEN = token
    fetch_again(only_voicemail())
    work("fetch")
    assert only_voicemail().state == State.STORED
    assert len(jobs("fetch")) == 1


@pytest.mark.parametrize(
    ("audio", "why"),
    [
        (silent(4), "The recording is silent."),
        (noise(4), "The recording is silent."),
        (spoken()[:6400], "The recording is too short (0.8 s)."),
        (b"", "The recording is too short (0.0 s)."),
    ],
    ids=["silent", "noise", "short", "nothing"],
)
def test_a_recording_without_words_is_kept_and_nobody_is_told(
    stored: Callable[..., Voicemail], line: PhoneNumber, audio: bytes, why: str
) -> None:
    make_endpoint(line.organization, events=("voicemail.",))
    voicemail = stored(audio)
    assert (voicemail.state, voicemail.explanation) == (State.EMPTY, why)
    assert voicemail.recording is not None
    assert [jobs(topic) for topic in ("transcribe", "post", "mail")] == [[], [], []]
    assert not Voicemail.objects.unheard().exists()


def test_a_quiet_voice_is_a_message(stored: Callable[..., Voicemail]) -> None:
    quiet = (np.frombuffer(speech.say("Please call me back."), "<i2") * 0.06).astype("<i2").tobytes()
    assert stored(mulaw.encode(quiet)).state == State.STORED


@pytest.mark.parametrize("status", ["absent", "failed"])
def test_a_caller_who_says_nothing_leaves_no_voicemail(twilio: Twilio, call: Call, status: str) -> None:
    for _ in range(2):
        assert report(twilio, "RE" + "5" * 32, status=status, duration="0") == 204
    assert not Voicemail.objects.exists()
    assert call.events.get(kind="message_missing").detail == {"status": status}


def test_a_recording_that_twilio_takes_back_is_lost_at_once(twilio: Twilio, call: Call, carrier: RunningTwilio) -> None:
    sid = keep(carrier, spoken())
    report(twilio, sid)
    report(twilio, sid, status="absent")
    assert only_voicemail().explanation == "Twilio reports that the recording is absent."
    work("fetch")
    assert only_voicemail().state == State.LOST


def test_a_report_of_an_unknown_call_or_of_another_ones_recording_changes_nothing(
    twilio: Twilio, call: Call, carrier: RunningTwilio, strangers_line: PhoneNumber
) -> None:
    sid = keep(carrier, spoken())
    other = "CA" + "7" * 32
    fields = {"RecordingSid": sid, "RecordingStatus": "completed"}
    assert twilio.post("/twilio/recording-status", CallSid=other, **fields).status_code == 404
    assert not Voicemail.objects.exists()
    report(twilio, sid)
    Call.objects.create(organization=strangers_line.organization, carrier_sid=other, state="completed")
    assert twilio.post("/twilio/recording-status", CallSid=other, **fields).status_code == 204
    assert only_voicemail().call == call


@pytest.mark.parametrize("sid", ["", "RE1", "RE" + "z" * 32, "CA" + "1" * 32, "RE" + "1" * 32 + "/../x"])
def test_what_is_no_recording_sid_is_not_fetched(twilio: Twilio, call: Call, sid: str) -> None:
    assert report(twilio, sid) == 204
    assert not Voicemail.objects.exists()


def test_a_message_of_which_every_report_was_lost_is_found_at_twilio(
    twilio: Twilio, call: Call, carrier: RunningTwilio
) -> None:
    for _ in range(2):
        assert b"<Record" in twilio.post("/twiml/after-dial", DialCallStatus="no-answer").content
    assert len(jobs("look_for")) == 1
    sid = keep(carrier, spoken())
    keep(carrier, spoken(), call_sid="CA" + "8" * 32)
    work("look_for")
    assert not Voicemail.objects.exists(), "the caller may still be speaking"
    work("look_for", later=dt.timedelta(minutes=6))
    assert only_voicemail().recording_sid == sid
    work("fetch", later=dt.timedelta(minutes=7))
    assert only_voicemail().state == State.STORED


def test_looking_finds_nothing_where_the_caller_said_nothing(
    twilio: Twilio, call: Call, carrier: RunningTwilio
) -> None:
    twilio.post("/twiml/after-dial", DialCallStatus="no-answer")
    work("look_for", later=dt.timedelta(minutes=6))
    assert [job.state for job in jobs("look_for")] == ["done"]
    assert not Voicemail.objects.exists()


KILLS: list[Point] = [
    (DOWNLOAD, "download", "before"),
    (DOWNLOAD, "download", "after"),
    (FETCH, "store_file", "after"),
    ("recordings.backends:DiskStorage", "_save", "before"),
    ("telephony.twilio.voicemail.services", "keep_audio", "before"),
    ("telephony.twilio.voicemail.services", "record_event", "after"),
    ("telephony.twilio.voicemail.services", "_enqueue_rest", "after"),
    ("telephony.twilio.voicemail.services", "keep_audio", "after"),
    ("voiceapp.core.jobs.engine:JobQueue", "_attempt", "after"),
]


@pytest.mark.parametrize("point", KILLS, ids=lambda point: f"{point[1]}-{point[2]}")
def test_a_worker_killed_at_any_point_loses_and_doubles_nothing(
    twilio: Twilio, call: Call, carrier: RunningTwilio, own_folder: Path, point: Point
) -> None:
    audio = spoken()
    report(twilio, keep(carrier, audio))
    assert in_a_process_that_dies(lambda: work("fetch"), point)
    work("fetch", later=dt.timedelta(minutes=1))
    voicemail = only_voicemail()
    assert voicemail.state == State.STORED
    assert voicemail.recording is not None
    assert read_file(voicemail.recording) == mono_wav(audio)
    assert len(files(own_folder)) == 1
    assert Recording.objects.count() == 1
    assert len(jobs("transcribe")) == 1


def test_reports_and_workers_at_once_store_one_message(
    twilio: Twilio, call: Call, carrier: RunningTwilio, own_folder: Path
) -> None:
    sid = keep(carrier, spoken())

    def report_once(number: int) -> None:
        try:
            if number % 2:
                Twilio().post("/twiml/after-message", RecordingSid=sid, RecordingDuration="3")
            else:
                report(Twilio(), sid)
            outbox.process_due(["voicemail.fetch"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(report_once, range(8)))
    assert only_voicemail().state == State.STORED
    assert Recording.objects.count() == 1
    assert len(jobs("fetch")) == 1
    assert len(files(own_folder)) == 1


def test_what_is_stored_is_deleted_at_twilio_if_the_organization_wants_it(
    stored: Callable[..., Voicemail], line: PhoneNumber, carrier: RunningTwilio, settings: Settings
) -> None:
    line.organization.deletes_voicemail_at_carrier = True
    line.organization.save()
    voicemail = stored()
    assert carrier.do(lambda server: list(server.carrier.account.recordings)) == [voicemail.recording_sid]
    settings.TWILIO_BASE_URL = carrier.fault_url("rest_500")
    work("delete")
    assert only_voicemail().is_at_carrier
    settings.TWILIO_BASE_URL = carrier.url
    work("delete", later=dt.timedelta(minutes=1))
    assert not only_voicemail().is_at_carrier
    assert carrier.do(lambda server: list(server.carrier.account.recordings)) == []


def test_a_recording_that_is_already_gone_counts_as_deleted(
    stored: Callable[..., Voicemail], line: PhoneNumber, carrier: RunningTwilio
) -> None:
    line.organization.deletes_voicemail_at_carrier = True
    line.organization.save()
    stored()
    carrier.do(lambda server: server.carrier.account.recordings.clear())
    work("delete")
    assert not only_voicemail().is_at_carrier


def test_it_stays_at_twilio_by_default(stored: Callable[..., Voicemail], carrier: RunningTwilio) -> None:
    stored()
    work()
    assert only_voicemail().is_at_carrier
    assert carrier.do(lambda server: len(server.carrier.account.recordings)) == 1

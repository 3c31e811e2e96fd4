"""A transcript is on the recording's clock: the live call's lines, or OpenAI's of each stretch of speech."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pytest
from pytest_django import Settings

from recordings.finishing import speech as module
from recordings.finishing.audio import Audio, read_audio
from recordings.finishing.placing import start_by_agent
from recordings.finishing.speech import Stretch, cut_out, stretches_of
from recordings.models import Recording
from recordings.sources.registry import SOURCES
from recordings.sources.twilio import report_of
from sessions.calls.models import Call, TranscriptLine
from voiceapp.providers.openai.errors import OpenAIError, OpenAIErrorKind
from voiceapp.providers.twilio.recordings import CarrierRecording
from voiceapp.simulators import speech
from voiceapp.simulators.openai.tests.running import running_openai
from voiceapp.tests.dying import in_a_process_that_dies

from .conftest import FolderSource, State, now, work
from .files import Samples, quiet, tone, wav

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "sk-of-the-finishing-tests"
QUESTION, ANSWER = "Please call me back about my car.", "Please call me back tomorrow."


@pytest.fixture(scope="module")
def openai_url() -> Iterator[str]:
    with running_openai(keys=[KEY]) as server:
        yield server.address


@pytest.fixture
def openai(openai_url: str, settings: Settings) -> None:
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = KEY, f"{openai_url}/v1"


def said(sentence: str, *, at_s: float, of_s: float) -> Samples:
    spoken = np.frombuffer(speech.say(sentence), "<i2")
    before = quiet(at_s)
    return np.concatenate((before, spoken, np.zeros(round(of_s * 8000) - len(before) - len(spoken), np.int16)))


@pytest.fixture
def untranscribed(recording: Recording, source: FolderSource) -> Recording:
    """The caller speaks after a second, the agent after seven."""
    TranscriptLine.objects.all().delete()
    source.file.write_bytes(wav(said(QUESTION, at_s=1, of_s=12), said(ANSWER, at_s=7, of_s=12)))
    return recording


def lines(call: Call) -> list[tuple[str, str, int]]:
    return [(each.speaker, each.text, each.turn) for each in call.lines.all()]


def test_without_lines_each_channel_is_transcribed_with_its_times(
    untranscribed: Recording, call: Call, openai: None
) -> None:
    Recording.objects.update(starts_at_ms=-500)
    work()
    assert lines(call) == [("caller", QUESTION, 1), ("agent", ANSWER, 1)]
    times = [each.spoken_at_ms for each in call.lines.all()]
    assert times == [pytest.approx(500, abs=150), pytest.approx(6500, abs=150)]
    assert (now(untranscribed).state, now(untranscribed).transcript) == (State.STORED, "")


def test_one_channel_has_a_transcript_without_speakers(
    untranscribed: Recording, source: FolderSource, call: Call, openai: None
) -> None:
    Recording.objects.update(starts_at_ms=-500)
    source.file.write_bytes(wav(said(QUESTION, at_s=1, of_s=6)))
    work()
    assert lines(call) == [("unknown", QUESTION, 0)]
    assert call.lines.get().spoken_at_ms == pytest.approx(500, abs=150)
    assert now(untranscribed).transcript == QUESTION


def test_lines_of_the_live_call_stand(recording: Recording, call: Call, openai: None) -> None:
    work()
    assert lines(call) == [("caller", "Hello.", 1)]


def test_a_worker_killed_while_it_transcribes_one_channel_loses_no_sentence(
    untranscribed: Recording, source: FolderSource, call: Call, openai: None
) -> None:
    question, answer = said(QUESTION, at_s=1, of_s=12), said(ANSWER, at_s=7, of_s=12)
    source.file.write_bytes(wav(question + answer))
    assert in_a_process_that_dies(work, ("recordings.finishing.speech", "_keep_line", "after"))
    work(dt.timedelta(minutes=1))
    assert [text for _, text, _ in lines(call)] == [QUESTION, ANSWER]
    assert now(untranscribed).transcript == f"{QUESTION}\n{ANSWER}"


def test_a_worker_killed_while_it_transcribes_makes_no_line_twice(
    untranscribed: Recording, call: Call, openai: None
) -> None:
    assert in_a_process_that_dies(work, ("recordings.finishing.speech", "_keep_line", "after"))
    assert call.lines.count() == 1
    work(dt.timedelta(minutes=1))
    assert lines(call) == [("caller", QUESTION, 1), ("agent", ANSWER, 1)]


def test_an_outage_of_openai_delays_the_file_for_minutes_only(
    untranscribed: Recording, call: Call, settings: Settings
) -> None:
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = KEY, "http://127.0.0.1:9/v1"
    work()
    assert (now(untranscribed).state, now(untranscribed).step) == (State.STORING, "align")
    work(dt.timedelta(minutes=11))
    assert now(untranscribed).state == State.STORED
    assert now(untranscribed).error == "No transcript: OpenAI cannot be reached right now."


def test_without_a_key_the_recording_is_stored_without_a_transcript(
    untranscribed: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise OpenAIError(OpenAIErrorKind.NOT_CONFIGURED, "no key")

    monkeypatch.setattr(module, "transcribe", refuse)
    work()
    assert (now(untranscribed).state, now(untranscribed).step) == (State.STORED, "")
    assert now(untranscribed).error == "No transcript: No key for OpenAI is configured."


@pytest.mark.parametrize(("name", "expected"), [("livekit_egress", 1250), ("twilio", 1250), ("bridge", 0)])
def test_a_file_on_a_clock_of_others_is_placed_on_the_calls_clock(
    recording: Recording,
    call: Call,
    source: FolderSource,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    expected: int,
) -> None:
    assert call.connected_at
    started_at = call.connected_at + dt.timedelta(milliseconds=1250)
    monkeypatch.setitem(SOURCES, Recording.Source(name), source)
    Recording.objects.update(source=name, started_at=started_at)
    work()
    assert now(recording).starts_at_ms == expected


@pytest.mark.parametrize(("requested_after_s", "began_after_s"), [(0.4, 0.4), (-3, 0), (5, 1)])
def test_twilios_time_is_rounded_down_and_no_earlier_than_its_request(
    requested_after_s: float, began_after_s: float
) -> None:
    at = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
    found = CarrierRecording(sid="RE1", call_sid="CA1", status="in-progress", started_at=at)
    report = report_of(found, reported_at=at, requested_at=at + dt.timedelta(seconds=requested_after_s))
    assert report.started_at == at + dt.timedelta(seconds=began_after_s)


@pytest.mark.parametrize(("reported_ms", "expected_ms"), [(1100, 1230), (0, 0)])
def test_vapis_file_is_placed_on_the_calls_clock_unless_vapi_carries_the_phone(
    recording: Recording,
    call: Call,
    source: FolderSource,
    monkeypatch: pytest.MonkeyPatch,
    reported_ms: int,
    expected_ms: int,
) -> None:
    monkeypatch.setitem(SOURCES, Recording.Source.VAPI, source)
    Recording.objects.update(source="vapi", starts_at_ms=reported_ms)
    agent = quiet(12)
    for at in (2, 7):
        agent[at * 8000 : at * 8000 + 12_000] = tone(1.5)
        TranscriptLine.objects.create(
            call=call, item_id=f"a{at}", speaker="agent", text="Hello.", spoken_at_ms=at * 1000 + 1230, turn=1
        )
    source.file.write_bytes(wav(tone(12), agent))
    work()
    assert now(recording).starts_at_ms == pytest.approx(expected_ms, abs=10)


def agent_speaking_at(*seconds: float) -> Audio:
    agent = quiet(60)
    for at in seconds:
        agent[round(at * 8000) : round(at * 8000) + 12_000] = tone(1.5)
    return read_audio(wav(tone(60), agent))


@pytest.mark.parametrize("near_ms", [-2000, 700, 1234, 3700])
def test_a_start_that_is_wrong_by_seconds_is_corrected_by_what_the_agent_said(near_ms: int) -> None:
    audio = agent_speaking_at(2, 9.5, 21, 40.3)
    said_at_ms = [each + 1234 for each in (2000, 9500, 21_000, 40_300)]
    if abs(near_ms - 1234) <= 3000:
        assert start_by_agent(audio, said_at_ms, near_ms=near_ms) == pytest.approx(1234, abs=10)
    else:
        assert start_by_agent(audio, said_at_ms, near_ms=near_ms) == near_ms


def test_a_start_that_nothing_confirms_stays() -> None:
    audio = agent_speaking_at(2, 9.5, 21, 40.3)
    assert start_by_agent(audio, [3000, 5000, 14_000, 30_000], near_ms=500) == 500
    assert start_by_agent(audio, [2100], near_ms=0) == 0, "one sentence is too few"
    assert start_by_agent(audio, [-900, 400, 2100], near_ms=0) == 0, "of three, two were said before it began"


def test_two_sentences_are_enough_and_what_was_said_before_counts_for_nothing() -> None:
    audio = agent_speaking_at(0, 2, 9.5)
    assert start_by_agent(audio, [1000, 2000 + 1234, 9500 + 1234], near_ms=700) == pytest.approx(1234, abs=10)


def test_a_pause_ends_a_stretch_and_a_click_is_none() -> None:
    loud = b"\0" * 100 + b"\1" * 50 + b"\0" * 30 + b"\1" * 50 + b"\0" * 100 + b"\1" * 10 + b"\0" * 100 + b"\1" * 30
    assert stretches_of(loud) == [Stretch(800, 2500), Stretch(4200, 4900)]
    assert stretches_of(b"") == stretches_of(b"\0" * 1000) == []


def test_a_monologue_is_cut_into_parts_that_follow_each_other() -> None:
    parts = stretches_of(b"\1" * 7000)
    assert [part.start_ms for part in parts[1:]] == [part.end_ms for part in parts[:-1]]
    assert parts[0].start_ms == 0
    assert parts[-1].end_ms >= 70_000
    assert max(part.end_ms - part.start_ms for part in parts) <= 30_400


def test_stretches_are_cut_out_of_a_file_that_is_read_in_parts() -> None:
    samples = np.arange(8000 * 10, dtype=np.int16)
    parts = (samples[at : at + 8000].tobytes() for at in range(0, len(samples), 8000))
    stretches = [Stretch(500, 900), Stretch(900, 3100), Stretch(9500, 11_000)]
    for stretch, pcm in cut_out(parts, stretches):
        expected = samples[stretch.start_ms * 8 : stretch.end_ms * 8].tobytes()
        assert pcm == expected, stretch


def test_quiet_stretches_of_a_real_sentence_are_kept_together() -> None:
    loud = read_audio(wav(said(QUESTION, at_s=1, of_s=5))).loud[0]
    (stretch,) = stretches_of(loud)
    assert stretch.start_ms == pytest.approx(800, abs=100)

"""A recorded caller calls another version of the agent, and the two calls are compared."""

from __future__ import annotations

import array
import io
import json
import wave
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from agents.configuration.models import Agent
from agents.tests.builders import make_agent, make_menu, make_organization, published_version
from recordings.files import store_file
from recordings.models import Recording
from sessions.calls.models import Call, CallState
from sessions.orders.models import Order
from sessions.tests.builders import Phone, make_call
from telephony.live.tests.conftest import API_KEY, Provider, openai
from telephony.replays.caller_audio import BEFORE_MS, Cue, Utterance, cues_of, spans, utterances_of
from telephony.replays.comparison import Figures, same_result, table
from telephony.replays.models import ReplayRun, replay_runs
from telephony.replays.recorded_caller import AGENT_IS_DONE_MS, FRAME_MS, RecordedCaller
from telephony.replays.services import start_replay
from voiceapp.core.errors import ApplicationError
from voiceapp.simulators.speech import SAMPLE_RATE, say

__all__ = ["openai"]
pytestmark = pytest.mark.embedded

SAID = ("Two large margherita please", "That is all", "Yes that is right")
PAUSE = bytes(2 * SAMPLE_RATE * 9 // 10)
GREETING = "Hello and welcome to our restaurant. We have pizza and pasta today. What would you like to order?"
LINE = "2 × large Margherita with thin crust"


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """Two lanes. The caller interrupts the greeting, and the agent says “Yes” before each further sentence."""
    caller, agent = PAUSE + say(SAID[0]) + PAUSE, say(GREETING)[: 2 * len(PAUSE)]
    for each in SAID[1:]:
        agent = agent.ljust(len(caller), b"\0") + say("Yes")
        caller = caller.ljust(len(agent) + len(PAUSE), b"\0") + say(each) + PAUSE
    return written(tmp_path, caller, agent)


def written(folder: Path, caller: bytes, agent: bytes) -> Path:
    size = max(map(len, (caller, agent)))
    lanes = [array.array("h", lane.ljust(size, b"\0")) for lane in (caller, agent)]
    both = array.array("h", bytes(2 * size))
    both[0::2], both[1::2] = lanes
    path = folder / "caller.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(both.tobytes())
    return path


@pytest.fixture
def agent(transactional_db: None, openai: Provider, settings: Settings) -> Agent:
    settings.OPENAI_API_KEY = API_KEY
    settings.OPENAI_BASE_URL = openai.url()
    settings.MAX_IDLE_LINKS = 0
    organization = make_organization()
    make_menu(organization)
    return make_agent(organization, greeting=GREETING)


def ordered(agent: Agent) -> Call:
    """The original: two pizzas."""
    call = make_call(agent)
    phone = Phone(call.pk)
    phone.add("Margherita", size="large", quantity=2)
    phone.agrees()
    Call.objects.filter(pk=call.pk).update(state=CallState.COMPLETED)
    return call


@pytest.mark.sound
def test_the_same_is_ordered_of_another_version_and_nothing_is_kept(agent: Agent, wav: Path) -> None:
    call, version, out = ordered(agent), published_version(agent), io.StringIO()
    call_command("simulate_call", "--wav", str(wav), "--call", str(call.pk), "--version", str(version.number), "--json",
                 stdout=out, stderr=io.StringIO())  # fmt: skip
    result = json.loads(out.getvalue())
    assert result["replay"]["order"] == [LINE]
    assert (result["is_same"], result["said"], result["faults"], result["against"]) == (True, 3, [], "version 2")
    assert (result["replay"]["turns"], result["replay"]["interruptions"]) == (3, 1)
    assert result["replay"]["median_response_ms"] > 0
    assert Order.objects.count() == Call.objects.count() == 1


@pytest.mark.sound
def test_a_worker_carries_it_out_and_says_how_far_it_is(
    agent: Agent, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_runs, "wake_up", lambda topic: None)
    settings.RECORDINGS_DIR = str(tmp_path / "recordings")
    call, key = ordered(agent), "recordings/caller.wav"
    call.refresh_from_db()
    store_file(key, written(tmp_path, PAUSE + say(SAID[0]) + PAUSE, b""), file_type="wav")
    Recording.objects.create(call=call, state=Recording.State.STORED, file_type="wav", key=key, size_bytes=1)
    run, is_new = start_replay(call, None, by="alice")
    assert (is_new, replay_runs.process_due()) == (True, 1)
    run.refresh_from_db()
    # The order was not agreed to.
    assert (run.outcome, run.said, run.utterances, run.reason) == (ReplayRun.Outcome.DIFFERENT, 1, 1, "")
    assert run.figures["turns"] == 1
    assert "margherita" in str(run.lines).lower()
    assert Call.objects.count() == 1


def test_utterances_are_told_apart_by_pauses(wav: Path) -> None:
    assert [each.cue for each in utterances_of(wav)] == [Cue.AGENT_BEGAN, Cue.AGENT_ENDED, Cue.AGENT_ENDED]
    click, word, pause = b"\1" * 3, b"\1" * 30, b"\0" * 100
    assert list(spans(click + pause + word + b"\0" * 40 + word + pause + word)) == [(1030, 2030), (3030, 3330)]


@pytest.mark.parametrize("content", [b"", b"no audio", b"RIFF\0\0\0\0WAVE"])
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(ApplicationError, match=r"bad\.wav cannot be read"):
        utterances_of(path)


def test_what_each_utterance_had_waited_for_is_measured() -> None:
    answered = [(1000, 5400), (9000, 10000), (10600, 11900), (12200, 12600)]
    said = [(5000, 7000), (8000, 8500), (11000, 11500), (13600, 14000), (30000, 31000)]
    assert list(cues_of(said, answered)) == [
        (Cue.AGENT_BEGAN, 4000),  # during the greeting
        (Cue.CALLER_ENDED, 1000),  # went on before the agent answered: its last sounds are no answer
        (Cue.AGENT_BEGAN, 2000),
        (Cue.AGENT_ENDED, 1000),
        (Cue.AGENT_ENDED, 0),  # had waited for an answer that did not come
    ]
    assert list(cues_of([(9, 99)], None)) == [(Cue.AGENT_ENDED, 0)]


@pytest.mark.parametrize(
    ("answer_ms", "after_ms", "said_at_ms"),
    [
        (5000, 2000, 2000 - BEFORE_MS),  # as long after the beginning of the answer, however long that is
        (1000, 2000, 1000 + AGENT_IS_DONE_MS),  # the answer was over before: as its end
    ],
)
def test_a_barge_in_is_as_far_into_the_answer_as_it_was(answer_ms: int, after_ms: int, said_at_ms: int) -> None:
    sent: list[str] = []
    caller = RecordedCaller([Utterance(b"\0" * 800, Cue.AGENT_BEGAN, after_ms)], stream_sid="MZ1")
    caller._on_text = sent.append  # no loop, no clock
    for _silence in range(10):  # before the agent answers
        caller.pass_frame()
    payload = b64encode(bytes(answer_ms * 8)).decode()
    caller.send_texts([json.dumps({"event": "media", "media": {"payload": payload}})])
    while not caller.said:
        caller.pass_frame()
    assert abs((len(sent) - 11) * FRAME_MS - said_at_ms) <= FRAME_MS


def test_silence_is_nobody(tmp_path: Path) -> None:
    path = tmp_path / "silent.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(PAUSE)
    with pytest.raises(ApplicationError, match="Nobody speaks"):
        utterances_of(path)


def figures(*order: str, appointments: tuple[str, ...] = ()) -> Figures:
    return Figures(order, "29.70 EUR", appointments, 3, 800, 1200, 0, 30, "")


def test_orders_stand_beside_each_other() -> None:
    before, after = figures(LINE, "1 × Tiramisu"), figures(LINE, "2 × Tiramisu")
    assert table(after, before)[:3] == [
        ("Order", LINE, LINE, ""), ("Order", "1 × Tiramisu", "2 × Tiramisu", "Differs"),
        ("Total", "29.70 EUR", "29.70 EUR", ""),
    ]  # fmt: skip
    assert not same_result(before, after)
    slower = table(replace(after, median_response_ms=700), before)[4]
    assert (slower.change, slower.is_counted) == ("−100 ms", True)
    on, later = ("Oil change on Thursday at 09:00 (2026-12-03)",), ("Oil change on Thursday at 09:00 (2026-12-10)",)
    assert same_result(figures(appointments=on), figures(appointments=later))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--version", "2"], "Name the agent"),
        (["--agent", "Giulia"], "Name a file with --wav"),
        (["--agent", "Giulia", "--version", "9"], "has no version 9. There are: 1 to 1"),
        (["--agent", "Giulia", "--version", "x"], "has no version x"),
        (["--call", "nothing"], "There is no call nothing"),
    ],
)
def test_the_command_says_what_is_missing(agent: Agent, arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        call_command("simulate_call", *arguments)


def test_a_call_without_a_recording_needs_a_file(agent: Agent) -> None:
    with pytest.raises(CommandError, match="no stored recording"):
        call_command("simulate_call", "--call", str(ordered(agent).pk))

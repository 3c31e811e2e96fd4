"""A recorded caller calls another version of the agent, and the two calls are compared."""

from __future__ import annotations

import io
import json
import wave
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from agents.configuration.models import Agent
from agents.tests.builders import make_agent, make_menu, make_organization, published_version
from sessions.calls.models import Call, CallState
from sessions.orders.models import Order
from sessions.tests.builders import Phone, make_call
from telephony.live.tests.conftest import API_KEY, Provider, openai
from telephony.replays.caller_audio import spans, utterances_of
from telephony.replays.comparison import Figures, same_result, table
from voiceapp.core.errors import ApplicationError
from voiceapp.simulators.speech import SAMPLE_RATE, say

__all__ = ["openai"]
pytestmark = pytest.mark.embedded

SAID = ("Two large margherita please", "That is all", "Yes that is right")
PAUSE = bytes(2 * SAMPLE_RATE * 9 // 10)
LINE = "2 × large Margherita with thin crust"


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """The caller's sentences with pauses between them."""
    path = tmp_path / "caller.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(PAUSE + PAUSE.join(say(each) for each in SAID) + PAUSE)
    return path


@pytest.fixture
def agent(transactional_db: None, openai: Provider, settings: Settings) -> Agent:
    settings.OPENAI_API_KEY = API_KEY
    settings.OPENAI_BASE_URL = openai.url()
    settings.MAX_IDLE_LINKS = 0
    organization = make_organization()
    make_menu(organization)
    return make_agent(organization, greeting="Hello!")


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
    assert result["replay"]["turns"] == 3
    assert result["replay"]["median_response_ms"] > 0
    assert Order.objects.count() == Call.objects.count() == 1


def test_utterances_are_told_apart_by_pauses(wav: Path) -> None:
    assert len(utterances_of(wav)) == len(SAID)
    click, word, pause = b"\1" * 3, b"\1" * 30, b"\0" * 100
    assert list(spans(click + pause + word + b"\0" * 40 + word + pause + word)) == [(1030, 2030), (3030, 3330)]


@pytest.mark.parametrize("content", [b"", b"no audio", b"RIFF\0\0\0\0WAVE"])
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(ApplicationError, match=r"bad\.wav cannot be read"):
        utterances_of(path)


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
        ("Order", LINE, LINE), ("Order", "1 × Tiramisu", "2 × Tiramisu"), ("Total", "29.70 EUR", "29.70 EUR"),
    ]  # fmt: skip
    assert not same_result(before, after)
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

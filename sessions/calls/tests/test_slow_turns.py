"""Why a turn was slow, as a sentence: the biggest part first, and only what the caller waited for."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from sessions.calls.admin.slow_turns import slow_turns
from sessions.calls.models import Call, CallEvent, ToolCall, Turn

pytestmark = pytest.mark.embedded

CONNECTED = timezone.now()
CALL = Call(connected_at=CONNECTED)
# The caller stopped at 10 s; the provider noticed at 10.4 s, and its audio came at 13.9 s.
TURN = Turn(number=2, speech_ended_ms=10_000, response_ms=4000, detection_ms=400, model_ms=3500, playout_ms=60)


def tool(name: str, *, ended_ms: int, took_ms: int, turn: int = 2) -> ToolCall:
    at = CONNECTED + dt.timedelta(milliseconds=ended_ms)
    return ToolCall(name=name, turn=turn, duration_ms=took_ms, at=at)


def text_of(turn: Turn, *tools: ToolCall, events: tuple[CallEvent, ...] = ()) -> str:
    (found,) = slow_turns(CALL, [turn], tools, events)
    return found.text


def test_the_biggest_part_comes_first_and_tools_are_not_the_providers_time() -> None:
    assert text_of(TURN, tool("change_order", ended_ms=13_000, took_ms=2100)) == (
        "Slow, 4.00 s: tool “change order” 2.10 s, AI provider 1.40 s, detecting the end of speech 0.40 s."
    )


def test_tools_at_the_same_time_count_once_and_those_behind_the_first_audio_not_at_all() -> None:
    tools = (
        tool("look_up_items", ended_ms=12_500, took_ms=2000),
        tool("get_opening_hours", ended_ms=12_000, took_ms=1000),
        tool("submit_order", ended_ms=18_000, took_ms=3000),
        tool("read_back_order", ended_ms=12_000, took_ms=1500, turn=1),
    )
    assert text_of(TURN, *tools) == (
        "Slow, 4.00 s: 2 tools, the longest “look up items”, 2.00 s, AI provider 1.50 s, "
        "detecting the end of speech 0.40 s."
    )


def test_an_answer_that_was_held_up_says_by_what() -> None:
    events = (
        CallEvent(kind="agent_lost", at_ms=11_000), CallEvent(kind="agent_lost", at_ms=12_000),
        CallEvent(kind="answer_overdue", at_ms=30_000),
    )  # fmt: skip
    assert text_of(TURN, events=events) == (
        "Slow, 4.00 s: AI provider 3.50 s, detecting the end of speech 0.40 s; "
        "the connection to the AI provider was lost and made anew."
    )


def test_what_was_not_measured_is_said() -> None:
    assert text_of(Turn(number=1, response_ms=1600)) == "Slow, 1.60 s; its parts were not measured."
    assert text_of(Turn(number=1, response_ms=2000, detection_ms=500)) == (
        "Slow, 2.00 s: not measured 1.50 s, detecting the end of speech 0.50 s."
    )


def test_a_turn_that_was_quick_needs_no_reason() -> None:
    assert slow_turns(CALL, [Turn(number=1, response_ms=1500), Turn(number=2)], [], []) == []

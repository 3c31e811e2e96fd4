"""Why a turn was slow, in words: where the time went, the biggest part first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from sessions.calls.models import Call, CallEvent, ToolCall, Turn

from .display import response_text
from .latency_bars import SLOW_MS

# Shorter parts explain nothing.
SHORTEST_NAMED_MS = 100
# Events that held an answer up, and what they mean.
HELD_UP: Mapping[str, StrOrPromise] = {
    "agent_lost": _("the connection to the AI provider was lost and made anew"),
    "response_failed": _("the AI provider failed, and was asked again"),
    "response_not_heard": _("the AI provider answered without sound, and was asked again"),
    "response_stuck": _("the AI provider stopped in the middle, and was asked again"),
    "answer_overdue": _("the AI provider did not begin by itself"),
    "turn_missing": _("the AI provider did not notice the caller's turn"),
    "speech_end_missing": _("the end of the caller's speech was not noticed"),
    "tool_timed_out": _("a tool took too long and was given up"),
}


@dataclass(frozen=True, slots=True)
class SlowTurn:
    """`text` is one sentence, for people who do not read bars."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """On the stream's clock."""

    begins_ms: int
    ends_ms: int

    @property
    def ms(self) -> int:
        return max(self.ends_ms - self.begins_ms, 0)


def slow_turns(
    call: Call, turns: Iterable[Turn], tools: Sequence[ToolCall], events: Sequence[CallEvent]
) -> list[SlowTurn]:
    """One for each turn whose answer came later than SLOW_MS."""
    slow = [turn for turn in turns if (turn.response_ms or 0) > SLOW_MS]
    return [SlowTurn(turn.number, _sentence(call, turn, tools, events)) for turn in slow]


def _sentence(call: Call, turn: Turn, tools: Sequence[ToolCall], events: Sequence[CallEvent]) -> str:
    total = turn.response_ms or 0
    parts = sorted(_parts(call, turn, tools), key=lambda part: -part[1])
    said = [f"{name} {response_text(ms)}" for name, ms in parts if ms >= SHORTEST_NAMED_MS]
    why = f": {', '.join(said)}" if said else gettext("; its parts were not measured")
    held_up = "".join(f"; {each}" for each in _held_up(turn, events))
    return gettext("Slow, %(response_text)s%(why)s%(held_up)s.") % {
        "response_text": response_text(total),
        "why": why,
        "held_up": held_up,
    }


def _parts(call: Call, turn: Turn, tools: Sequence[ToolCall]) -> Iterator[tuple[str, int]]:
    """The model's time contains that of the tools whose results it waited for."""
    measured = [turn.detection_ms, turn.model_ms, turn.playout_ms]
    detection_ms, model_ms, playout_ms = (each or 0 for each in measured)
    awaited = list(_awaited(call, turn, tools)) if model_ms else []
    tools_ms = min(_covered_ms(span for _, span in awaited), model_ms)
    if awaited:
        yield _name_of_tools([tool for tool, _ in awaited]), tools_ms
    yield gettext("AI provider"), model_ms - tools_ms
    yield gettext("detecting the end of speech"), detection_ms
    yield gettext("playback to the caller"), playout_ms
    rest_ms = (turn.response_ms or 0) - detection_ms - model_ms - playout_ms
    if any(measured):
        yield gettext("not measured"), rest_ms


def _awaited(call: Call, turn: Turn, tools: Sequence[ToolCall]) -> Iterator[tuple[ToolCall, Span]]:
    """The turn's tools as far as they ran before its first audio; what ran behind it delayed nobody."""
    waits = _wait_for_model(turn)
    for tool in tools:
        if tool.turn != turn.number:
            continue
        if waits is None:
            yield tool, Span(0, tool.duration_ms)
            continue
        ended_ms = _ms(call, tool.at)
        span = Span(max(ended_ms - tool.duration_ms, waits.begins_ms), min(ended_ms, waits.ends_ms))
        if span.ms:
            yield tool, span


def _wait_for_model(turn: Turn) -> Span | None:
    """From the provider's word that the caller's speech ended to the first audio; None where no clock has it."""
    if turn.speech_ended_ms is None:
        return None
    begins_ms = turn.speech_ended_ms + (turn.detection_ms or 0)
    return Span(begins_ms, begins_ms + (turn.model_ms or 0))


def _covered_ms(spans: Iterable[Span]) -> int:
    """Tools that ran at the same time count once."""
    covered_ms, until_ms = 0, 0
    for span in sorted(spans, key=lambda each: each.begins_ms):
        covered_ms += max(span.ends_ms - max(span.begins_ms, until_ms), 0)
        until_ms = max(until_ms, span.ends_ms)
    return covered_ms


def _name_of_tools(tools: Sequence[ToolCall]) -> str:
    """“tool “change order””, “2 tools, longest “change order””."""
    longest = max(tools, key=lambda tool: tool.duration_ms).name.replace("_", " ")
    return (
        gettext("tool “%(longest)s”") % {"longest": longest}
        if len(tools) == 1
        else gettext("%(number)s tools, the longest “%(longest)s”,") % {"number": len(tools), "longest": longest}
    )


def _held_up(turn: Turn, events: Sequence[CallEvent]) -> Iterator[str]:
    if turn.speech_ended_ms is None or turn.response_ms is None:
        return
    during = range(turn.speech_ended_ms, turn.speech_ended_ms + turn.response_ms + 1)
    kinds = [each.kind for each in events if each.at_ms is not None and each.at_ms in during]
    yield from (str(HELD_UP[kind]) for kind in dict.fromkeys(kinds) if kind in HELD_UP)


def _ms(call: Call, at: dt.datetime) -> int:
    """On the stream's clock, which starts when the call connects."""
    since = call.connected_at or call.created_at
    return int((at - since) / dt.timedelta(milliseconds=1))

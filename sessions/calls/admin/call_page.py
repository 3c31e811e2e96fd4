"""Reads one call as its page shows it: a fixed number of queries, however long it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils import timezone

from sessions.calls.models import Call, ToolCall, TranscriptLine, Turn
from sessions.orders.models import Order
from sessions.rooms.admin.participants import PersonInRoom, people_in_room
from sessions.rooms.models import RoomAgent

from .display import median_ms, offset_words, reason_and_advice, response_words, tool_sentence
from .latency_bars import Bar, bars


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the conversation, or a tool between two of them."""

    kind: str
    at_ms: int
    at: str
    text: str
    who: str = ""
    is_cut: bool = False
    outcome: str = ""
    answer: str = ""
    duration_ms: int = 0
    response: str = ""


@dataclass(frozen=True, slots=True)
class TimelineRow:
    at: str
    clock: str
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class CallPage:
    """Everything the template shows."""

    call: Call
    caller: str
    reason: str
    advice: str
    conversation: Sequence[Said]
    timeline: Sequence[TimelineRow]
    bars: Sequence[Bar]
    median: str
    slowest: str
    orders: Sequence[Order]
    recordings: Sequence[Any]
    usage: Sequence[tuple[str, str]]
    lines_left_out: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    agents: Sequence[RoomAgent] = ()
    people: Sequence[PersonInRoom] = ()


MOST_LINES = 1000


def read_call(call: Call, *, caller: str) -> CallPage:
    """The page of a call that the user may see; `caller` is its number as this user may read it."""
    lines = list(call.lines.all()[: MOST_LINES + 1])
    turns = list(call.turns.all())
    tools = list(call.tool_calls.all()[:MOST_LINES])
    events = list(call.events.all()[:MOST_LINES])
    orders = list(call.orders.select_related("replaces").prefetch_related("lines__modifiers").order_by("created_at"))
    refused_for = next((str(event.detail.get("refused_for", "")) for event in events if event.kind == "ringing"), "")
    reason, advice = reason_and_advice(call.end_reason, refused_for=refused_for)
    times = [turn.response_ms for turn in turns]
    known = [each for each in times if each is not None]
    return CallPage(
        call=call,
        caller=caller,
        reason=reason,
        advice=advice,
        conversation=conversation_of(call, lines[:MOST_LINES], tools, turns),
        timeline=[
            TimelineRow(
                offset_words(event.at_ms if event.at_ms is not None else offset_ms(call, event.at)),
                f"{timezone.localtime(event.at):%H:%M:%S}",
                event.kind.replace("_", " "),
                details(event.detail),
            )
            for event in events
        ],
        bars=bars(turns),
        median=response_words(median_ms(times)),
        slowest=response_words(max(known)) if known else "–",
        orders=orders,
        recordings=list(call.recordings.all()),
        usage=flat_usage(call.usage),
        lines_left_out=max(len(lines) - MOST_LINES, 0),
        counts={"turns": len(turns), "tools": len(tools), "lines": len(lines)},
        agents=list(call.room_agents.all()),
        people=people_in_room(call),
    )


def conversation_of(
    call: Call, lines: Sequence[TranscriptLine], tools: Sequence[ToolCall], turns: Sequence[Turn]
) -> list[Said]:
    """Both sides in the order spoken, tools where they were used, each answer with its response time."""
    said = [_line(line) for line in lines] + [_tool(tool, _tool_ms(call, tool, lines)) for tool in tools]
    said.sort(key=lambda each: each.at_ms)
    responses = {turn.number: turn.response_ms for turn in turns if turn.response_ms is not None}
    by_line = {line.spoken_at_ms: line for line in lines if line.speaker == TranscriptLine.Speaker.AGENT}
    shown: set[int] = set()
    result = []
    for each in said:
        line = by_line.get(each.at_ms) if each.kind == "agent" else None
        if line is not None and line.turn in responses and line.turn not in shown:
            shown.add(line.turn)
            each = _with_response(each, response_words(responses[line.turn]))
        result.append(each)
    return result


def _line(line: TranscriptLine) -> Said:
    who = "Caller" if line.speaker == TranscriptLine.Speaker.CALLER else "Agent"
    return Said(line.speaker, line.spoken_at_ms, offset_words(line.spoken_at_ms), line.text, who, line.is_cut)


def _tool(tool: ToolCall, at_ms: int) -> Said:
    answer = tool.output.get("say", "") if isinstance(tool.output, dict) else ""
    return Said(
        "tool", at_ms, offset_words(at_ms), tool_sentence(tool), "Tool",
        outcome=tool.outcome, answer=str(answer), duration_ms=tool.duration_ms,
    )  # fmt: skip


def _tool_ms(call: Call, tool: ToolCall, lines: Sequence[TranscriptLine]) -> int:
    """On the stream's clock, which begins when the call connects; never before the words that asked for it."""
    ms = offset_ms(call, tool.at)
    asked = [
        line.spoken_at_ms
        for line in lines
        if line.speaker == TranscriptLine.Speaker.CALLER and line.turn and line.turn <= tool.turn
    ]
    return max([ms, *(at + 1 for at in asked[-1:])])


def offset_ms(call: Call, at: dt.datetime) -> int:
    """Since the call connected; what was before that counts as its beginning."""
    since = call.connected_at or call.created_at
    return max(int((at - since) / dt.timedelta(milliseconds=1)), 0)


def _with_response(said: Said, response: str) -> Said:
    return Said(said.kind, said.at_ms, said.at, said.text, said.who, said.is_cut, response=response)


def details(detail: object) -> str:
    """“heard ms 900, item msg 1”: the detail of an event in one line."""
    if not isinstance(detail, Mapping):
        return ""
    return ", ".join(
        f"{name.replace('_', ' ')} {_plain(value)}" for name, value in detail.items() if value not in (None, "")
    )


def _plain(value: object) -> str:
    """Codes like agent_hung_up as words; everything else as it is."""
    return value.replace("_", " ") if isinstance(value, str) and value.islower() else str(value)


def flat_usage(usage: object, prefix: str = "") -> list[tuple[str, str]]:
    """Nested token counts as rows of a table, zeros left out."""
    rows: list[tuple[str, str]] = []
    if not isinstance(usage, Mapping):
        return rows
    for name, value in usage.items():
        label = f"{prefix} {str(name).replace('_', ' ')}".strip()
        if isinstance(value, Mapping):
            rows += flat_usage(value, label)
        elif isinstance(value, int | float | str | Decimal) and value:
            rows.append((label, f"{value:,}" if isinstance(value, int) else str(value)))
    return rows

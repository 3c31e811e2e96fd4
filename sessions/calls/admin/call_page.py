"""Reads one call as its page shows it: a fixed number of queries, however long it was."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sessions.appointments.models import Appointment
from sessions.calls.costs import REPORTED, cost_parts
from sessions.calls.masked_numbers import masked_in
from sessions.calls.models import Call, CallEvent, ToolCall, TranscriptLine, Turn
from sessions.messages.texts.models import Text
from sessions.orders.models import Order
from sessions.rooms.admin.participants import ShownParticipant, shown_participants
from sessions.rooms.models import RoomAgent

from .display import median_ms, offset_text, reason_and_advice, response_text, tool_sentence
from .event_text import event_sentence, number_text
from .latency_bars import SLOW_MS, Bar, bars
from .player import NOTHING_WANTED, Mark, Player, Wanted, read_player, recordings_of, seconds
from .slow_turns import SlowTurn, slow_turns


@dataclass(frozen=True, slots=True)
class ConversationEntry:
    """A line of the conversation, or a tool between two of them. `t`: where the recording has it, as in `?t=`."""

    kind: str
    at_ms: int
    at: str
    text: str
    who: str = ""
    is_cut: bool = False
    outcome: str = ""
    result: str = ""
    duration_ms: int = 0
    response: str = ""
    slow_turn: int = 0
    t: str = ""
    made: Sequence[Made] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What a line of the caller's became: a line of an order, or an appointment, and where it stands on the page."""

    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class TimelineRow:
    at: str
    clock: str
    text: str


@dataclass(frozen=True, slots=True)
class CallPage:
    """Everything the template shows."""

    call: Call
    caller: str
    reason: str
    advice: str
    conversation: Sequence[ConversationEntry]
    timeline: Sequence[TimelineRow]
    bars: Sequence[Bar]
    median: str
    slowest: str
    slow_turns: Sequence[SlowTurn]
    orders: Sequence[Order]
    recordings: Sequence[Any]
    transfers: Sequence[Any]
    voicemails: Sequence[Any]
    vapi_legs: Sequence[Any]
    texts: Sequence[Text]
    usage: Sequence[tuple[str, str, str]]
    player: Player | None = None
    lines_left_out: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    agents: Sequence[RoomAgent] = ()
    participants: Sequence[ShownParticipant] = ()
    appointments: Sequence[Appointment] = ()


MOST_LINES = 3000
NOT_KEPT = _("(not kept)")


def read_call(call: Call, *, caller: str, sees: bool = True, wanted: Wanted = NOTHING_WANTED) -> CallPage:
    """The page of a call that the user may see; `caller` is its number as this user may read it.

    `sees`: whether whole numbers are shown elsewhere on it.
    """
    lines = list(call.lines.defer("words")[: MOST_LINES + 1])
    turns = list(call.turns.all())
    tools = list(call.tool_calls.all()[:MOST_LINES])
    events = list(call.events.all()[:MOST_LINES])
    orders = list(call.orders.select_related("replaces").prefetch_related("lines__modifiers").order_by("created_at"))
    kinds = {event.kind for event in events}
    refused_for = next((str(event.detail.get("refused_for", "")) for event in events if event.kind == "ringing"), "")
    reason, advice = reason_and_advice(call.end_reason, refused_for=refused_for)
    appointments = booked_on(call) if any(event.kind == "appointment_booked" for event in events) else []
    recordings = recordings_of(call)
    conversation = conversation_of(call, lines[:MOST_LINES], tools, turns)
    player = read_player(recordings, wanted, marks_of(conversation, events), turns)
    conversation = with_places(conversation, player, made_of(orders, appointments, lines))
    times = [turn.response_ms for turn in turns]
    known = [each for each in times if each is not None]
    return CallPage(
        call=call,
        caller=caller,
        reason=reason,
        advice=advice,
        conversation=conversation,
        timeline=[
            TimelineRow(
                offset_text(event.at_ms if event.at_ms is not None else offset_ms(call, event.at)),
                f"{timezone.localtime(event.at):%H:%M:%S}",
                _said(event_sentence(event.kind, event.detail), sees=sees),
            )
            for event in events
        ],
        bars=bars(turns),
        median=response_text(median_ms(times)),
        slowest=response_text(max(known)) if known else "–",
        slow_turns=slow_turns(call, turns, tools, events),
        orders=orders,
        recordings=recordings,
        # A transfer begins when a stream is over: other calls take no query for it.
        transfers=list(call.transfers.prefetch_related("attempts")) if "stream_over" in kinds else [],
        voicemails=list(call.voicemails.all()),
        # Of calls whose agent VAPI plays.
        vapi_legs=list(call.vapi_legs.all()) if kinds & {"provider_call", "vapi_report"} else [],
        texts=list(call.texts.order_by("created_at")[:MOST_LINES]),
        usage=usage_rows(call.usage, (call.ended_at or timezone.now()).date()),
        lines_left_out=max(len(lines) - MOST_LINES, 0),
        counts={"turns": len(turns), "tools": len(tools), "lines": len(lines)},
        agents=list(call.room_agents.all()),
        participants=shown_participants(call, sees=sees),
        appointments=appointments,
        player=player,
    )


def _said(sentence: str, *, sees: bool) -> str:
    return sentence if sees else masked_in(sentence)


def booked_on(call: Call) -> list[Appointment]:
    """Read only where the timeline has one: most calls book nothing."""
    return list(call.appointments.prefetch_related("resources").order_by("created_at"))


def conversation_of(
    call: Call, lines: Sequence[TranscriptLine], tools: Sequence[ToolCall], turns: Sequence[Turn]
) -> list[ConversationEntry]:
    """Both sides in the order spoken, tool calls where they happened, each first response of a turn with its time."""
    no_words = str(NOT_KEPT) if call.recording_declined_at else ""
    entries = [_line(line, no_words) for line in lines] + [_tool(tool, _tool_ms(call, tool, lines)) for tool in tools]
    entries.sort(key=lambda each: each.at_ms)
    responses = {turn.number: turn.response_ms for turn in turns if turn.response_ms is not None}
    by_line = {line.spoken_at_ms: line for line in lines if line.speaker == TranscriptLine.Speaker.AGENT}
    shown: set[int] = set()
    result = []
    for each in entries:
        line = by_line.get(each.at_ms) if each.kind == "agent" else None
        if line is not None and line.turn in responses and line.turn not in shown:
            shown.add(line.turn)
            is_slow = responses[line.turn] > SLOW_MS
            each = replace(each, response=response_text(responses[line.turn]), slow_turn=line.turn if is_slow else 0)
        result.append(each)
    return result


def marks_of(entries: Sequence[ConversationEntry], events: Sequence[CallEvent]) -> list[Mark]:
    """Tool calls and interruptions, without a place in the waveform yet."""
    tools = [Mark("tool", entry.at_ms, entry.text, x=0) for entry in entries if entry.kind == "tool"]
    interruptions = [
        Mark("interruption", event.at_ms, event_sentence(event.kind, event.detail), x=0)
        for event in events
        if event.kind == "interrupted" and event.at_ms is not None
    ]
    return tools + interruptions


def made_of(
    orders: Sequence[Order], appointments: Sequence[Appointment], lines: Sequence[TranscriptLine]
) -> dict[int, list[Made]]:
    """What was made of a caller's line, by the line's `spoken_at_ms`: the last line that had begun when it was said."""
    begins = [line.spoken_at_ms for line in lines if line.speaker == TranscriptLine.Speaker.CALLER]
    said = [
        (
            line.said_at_ms,
            Made(
                f"order-line-{line.pk}",
                gettext("%(line)s, order No. %(number)s") % {"line": line, "number": order.number},
            ),
        )
        for order in orders
        for line in order.lines.all()
    ]
    said += [
        (
            each.said_at_ms,
            Made(f"appointment-{each.pk}", gettext("Appointment No. %(number)s") % {"number": each.number}),
        )
        for each in appointments
    ]
    made: dict[int, list[Made]] = {}
    for at_ms, what in said:
        place = bisect_right(begins, at_ms) if at_ms is not None else 0
        if place:
            made.setdefault(begins[place - 1], []).append(what)
    return made


def with_places(
    entries: Sequence[ConversationEntry], player: Player | None, made: Mapping[int, Sequence[Made]]
) -> list[ConversationEntry]:
    """Each entry with its second in the recording, if it is there, and with what was made of it."""
    return [
        replace(
            entry,
            t=seconds(entry.at_ms) if player is not None and player.holds(entry.at_ms) else "",
            made=made.get(entry.at_ms, ()) if entry.kind == "caller" else (),
        )
        for entry in entries
    ]


def _line(line: TranscriptLine, no_words: str) -> ConversationEntry:
    who = line.get_speaker_display()
    return ConversationEntry(
        line.speaker, line.spoken_at_ms, offset_text(line.spoken_at_ms), line.text or no_words, who, line.is_cut
    )


def _tool(tool: ToolCall, at_ms: int) -> ConversationEntry:
    result = tool.output.get("say", "") if isinstance(tool.output, dict) else ""
    return ConversationEntry(
        "tool", at_ms, offset_text(at_ms), tool_sentence(tool), gettext("Tool"),
        outcome=tool.outcome, result=str(result), duration_ms=tool.duration_ms,
    )  # fmt: skip


def _tool_ms(call: Call, tool: ToolCall, lines: Sequence[TranscriptLine]) -> int:
    """On the stream's clock, which starts when the call connects; never before the caller's words that led to it."""
    ms = offset_ms(call, tool.at)
    spoken = [
        line.spoken_at_ms
        for line in lines
        if line.speaker == TranscriptLine.Speaker.CALLER and line.turn and line.turn <= tool.turn
    ]
    return max([ms, *(at + 1 for at in spoken[-1:])])


def offset_ms(call: Call, at: dt.datetime) -> int:
    """Since the call connected; anything earlier counts as its start."""
    since = call.connected_at or call.created_at
    return max(int((at - since) / dt.timedelta(milliseconds=1)), 0)


def usage_rows(usage: Mapping[str, object], on: dt.date) -> list[tuple[str, str, str]]:
    """What was used, how much of it, and what that cost: “response gpt-realtime audio in”, 400, “$0.0128”."""
    return [
        (
            f"{part.source} {'' if part.kind == REPORTED else part.kind.replace('_', ' ')}".strip(),
            number_text(part.count) if part.count else "",
            gettext("unknown") if part.usd is None else f"${part.usd:.4f}",
        )
        for part in cost_parts(usage, on)
    ]

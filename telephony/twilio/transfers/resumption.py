"""What a call continues when its caller comes back to the agent: the conversation, the count of turns, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from sessions.calls.briefing import Briefing
from sessions.calls.facts import Fact, LineSpoken, SomethingHappened, Speaker, TurnAnswered, TurnInterrupted
from sessions.calls.models import Call, ToolCall
from telephony.bridge.core.transcript import Past, PastLine, PastTool
from telephony.twilio.phrases import Phrase, phrase

from .documents import language_of
from .models import AttemptState, Transfer

MOST_ENTRIES = 400
# What the model reads of each person.
TRIED: Mapping[str, str] = {
    AttemptState.DECLINED: "declined",
    AttemptState.NOT_ACCEPTED: "did not accept the call",
    AttemptState.NO_ANSWER: "did not answer",
    AttemptState.BUSY: "was busy",
}
NOT_REACHED = "could not be reached"


@dataclass(frozen=True, slots=True)
class Resumption:
    """The earlier streams of a call, for the one that continues it.

    `began_ms`: this stream's start on the call's clock. `turns`: the caller's turns before. `number`: of this stream.
    """

    past: tuple[Past, ...]
    say: str
    began_ms: int
    turns: int
    number: int

    def brief(self, briefing: Briefing) -> Briefing:
        """The agent does not greet again, but says that no person took the call."""
        return replace(briefing, greeting_audio=b"", phrases=replace(briefing.phrases, greeting=self.say))

    def own_id(self, name: str) -> str:
        """Each session counts its items and tool calls anew, and a call has several sessions."""
        return f"{self.number}:{name}"

    def placed(self, fact: Fact) -> Fact:
        """The fact on the call's clock, after the turns before."""
        match fact:
            case LineSpoken():
                return replace(
                    fact,
                    item_id=self.own_id(fact.item_id),
                    spoken_at_ms=fact.spoken_at_ms + self.began_ms,
                    turn=fact.turn + self.turns,
                )
            case TurnAnswered():
                return replace(
                    fact, number=fact.number + self.turns, speech_ended_ms=fact.speech_ended_ms + self.began_ms
                )
            case TurnInterrupted():
                return replace(fact, number=fact.number + self.turns, at_ms=fact.at_ms + self.began_ms)
            case SomethingHappened():
                return replace(fact, at_ms=fact.at_ms + self.began_ms)
        return fact


def read_resumption(call_id: UUID) -> Resumption:
    call = Call.objects.select_related("organization", "agent", "agent_version").get(pk=call_id)
    transfer = call.transfers.exclude(return_stream=None).order_by("-created_at").first()
    name = transfer.name if transfer else ""
    turns = call.lines.aggregate(last=Max("turn"))["last"] or 0
    answered = call.turns.aggregate(last=Max("number"))["last"] or 0
    since = call.connected_at or call.created_at
    return Resumption(
        past=tuple(_past(call, transfer)),
        say=phrase(Phrase.NOT_REACHED, language_of(call), name=name),
        began_ms=max(round((timezone.now() - since).total_seconds() * 1000), 0),
        turns=max(turns, answered),
        number=call.media_streams.count(),
    )


def _past(call: Call, transfer: Transfer | None) -> list[Past]:
    """What was said and done, oldest first. A tool call belongs after what the caller said in its turn."""
    said: list[tuple[int, int, int, Past]] = [
        (line.turn, 0, line.spoken_at_ms, PastLine(line.item_id, Speaker(line.speaker), line.text))
        for line in call.lines.of_known_speakers().order_by("-spoken_at_ms")[:MOST_ENTRIES]
    ]
    tools = list(call.tool_calls.order_by("-at", "-id")[:MOST_ENTRIES])
    last_transfer = next((tool for tool in tools if tool.name == "transfer_call"), None)
    done: list[tuple[int, int, int, Past]] = []
    for order, tool in enumerate(reversed(tools)):
        output = dict(tool.output) if isinstance(tool.output, dict) else {}
        if transfer is not None and tool is last_transfer:
            output |= {"result": why_nobody(transfer)}
        done.append((tool.turn, 1, order, _tool(tool, output)))
    ordered = sorted(said + done, key=lambda entry: entry[:3])
    return [past for *_, past in ordered]


def _tool(tool: ToolCall, output: Mapping[str, object]) -> PastTool:
    return PastTool(tool.tool_call_id, tool.name, json.dumps(tool.arguments), json.dumps(output, ensure_ascii=False))


def why_nobody(transfer: Transfer) -> str:
    """“Nobody took the call: Anna did not answer. Ben declined. The caller is back with you.”"""
    tried = [
        f"{attempt.name} {TRIED.get(attempt.state, NOT_REACHED)}."
        for attempt in transfer.attempts.exclude(state__in=(AttemptState.PLANNED, AttemptState.REFUSED))
    ]
    return " ".join(["Nobody took the call:", *(tried or ["nobody is there now."]), "The caller is back with you."])

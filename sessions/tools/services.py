"""Runs a tool call of the model: once per request, in one transaction, and never raises for what the model wrote."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from sessions.calls.feeds import announce_calls
from sessions.calls.models import Call, ToolCall
from sessions.calls.outcomes import ToolResult, refusal
from sessions.calls.short_ids import short_id
from sessions.orders.draft import Refused
from sessions.orders.draft.requests import read_fields
from sessions.tools.registry import EVERY_TOOL, RECORDING_TOOLS
from sessions.tools.tool import Answer, ToolRequest, result_of
from voiceapp.core import metrics
from voiceapp.core.transactions import NotSaved, retried

LONGEST = 16_384
NOT_UNDERSTOOD = "Sorry, I did not get that. Could you say it again?"


def read_arguments(text: str) -> dict[str, object]:
    """The JSON object in `text`, without signs that a database cannot hold; raises Refused."""
    if len(text) > LONGEST:
        raise Refused(NOT_UNDERSTOOD)
    try:
        arguments = clean(json.loads(text or "{}", parse_constant=_refuse_constant))
    except (ValueError, RecursionError) as exc:
        raise Refused(NOT_UNDERSTOOD) from exc
    if not isinstance(arguments, dict):
        raise Refused(NOT_UNDERSTOOD)
    return arguments


def clean(value: object) -> object:
    """The same JSON value without NUL, lone surrogates and other control characters in its texts."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [clean(part) for part in value]
    if isinstance(value, dict):
        return {clean_text(key): clean(part) for key, part in value.items()}
    return value


def clean_text(text: str) -> str:
    """Printable text in which line breaks are spaces."""
    sound = text.encode("utf-8", "replace").decode()
    return "".join(sign if sign.isprintable() else " " for sign in sound)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


logger = structlog.get_logger("tools")

NOT_SAVED = "I could not save that just now. Nothing was changed. Let me connect you to a person, or try once more."
TOO_LATE = "I could not do that in time. Nothing was changed. Let me try once more."
UNKNOWN_TOOL = "I cannot do that on this line."
LONGEST_KEY = 80
NUMBER_ROOM = 8
MOST_TURNS = 2**31 - 1
Outcome = ToolCall.Outcome


def run_tool(
    call_id: UUID,
    *,
    name: str,
    arguments: str,
    tool_call_id: str,
    caller_turns: int,
    not_after: float | None = None,
) -> ToolResult:
    """The tool's answer, after what it did was committed.

    A repeated request answers with the stored output and does nothing. A request is repeated when the call has had one
    with this `tool_call_id`, name, arguments and `caller_turns`; anything else is another request, for ids repeat.
    Whatever the database refuses after bounded tries is answered with “not saved”. `caller_turns` counts the caller's
    turns that the core has committed. After `not_after`, a time of `time.monotonic()`, nothing is committed any more:
    the core has stopped waiting, and a later request may have been carried out.
    """
    began = time.monotonic()
    label = name if name in EVERY_TOOL else "unknown"  # a metric's labels come from a closed set
    tool_call = _ToolCall(call_id, name, arguments, tool_call_id, min(max(caller_turns, 0), MOST_TURNS), not_after)
    try:
        result, outcome = retried(lambda: _run_once(tool_call, began), what=f"tool {label}")
    except NotSaved:
        result, outcome = refusal(NOT_SAVED), Outcome.FAILED
    except _TooLate:
        logger.warning("tool too late", tool=label, call_id=str(call_id))
        result, outcome = refusal(TOO_LATE), Outcome.FAILED
    metrics.tool_calls.labels(label, outcome).inc()
    return result


def stored_result(call_id: UUID, tool_call_id: str) -> ToolResult | None:
    """The answer that `run_tool` gave to the first request with this id; None before that."""
    key = short_id(tool_call_id, longest=LONGEST_KEY)
    stored = ToolCall.objects.filter(call_id=call_id, tool_call_id=key).only("output").first()
    return None if stored is None else result_of(stored.output)


@dataclass(frozen=True, slots=True)
class _ToolCall:
    """The tool call as it arrived."""

    call_id: UUID
    name: str
    arguments: str
    tool_call_id: str
    caller_turns: int
    not_after: float | None

    @property
    def kept_name(self) -> str:
        return clean_text(self.name)[:64]

    def check_in_time(self) -> None:
        if self.not_after is not None and time.monotonic() > self.not_after:
            raise _TooLate


class _TooLate(Exception):
    """The core has stopped waiting for this. Raised inside the transaction, which is rolled back."""


def _run_once(tool_call: _ToolCall, began: float) -> tuple[ToolResult, str]:
    """Effect and record in one transaction: a request that was recorded was carried out, and the other way round."""
    tool_call.check_in_time()
    with transaction.atomic():
        refused, read = _read(tool_call.arguments)
        key, stored = _stored(tool_call, read)
        if stored is not None:
            return result_of(stored.output), stored.outcome
        call = Call.objects.select_related("organization").filter(pk=tool_call.call_id).first()
        if call is None or call.organization is None:
            return refusal(UNKNOWN_TOOL), Outcome.REFUSED
        answer = refused or _answer(call, tool_call, read)
        outcome = Outcome.DONE if answer.is_ok else Outcome.REFUSED
        output = answer.output()
        ToolCall.objects.create(
            call=call,
            tool_call_id=key,
            name=tool_call.kept_name,
            arguments=read,
            output=output,
            outcome=outcome,
            turn=tool_call.caller_turns,
            duration_ms=int((time.monotonic() - began) * 1000),
            at=timezone.now(),
        )
        announce_calls(call.organization_id, call.pk)
        tool_call.check_in_time()
    return result_of(output), outcome


def _read(arguments: str) -> tuple[Answer | None, dict[str, object]]:
    """The arguments, or the refusal of those that cannot be read."""
    try:
        return None, read_arguments(arguments)
    except Refused as refusal_:
        return Answer(refusal_.say, is_ok=False), {}


def _stored(tool_call: _ToolCall, read: Mapping[str, object]) -> tuple[str, ToolCall | None]:
    """The record of this very request, or the first free key for it: what came under its id before may be another."""
    theirs = ToolCall.objects.filter(call_id=tool_call.call_id)
    key, count = short_id(tool_call.tool_call_id, longest=LONGEST_KEY), 1
    base = key[: LONGEST_KEY - NUMBER_ROOM]
    while (stored := theirs.filter(tool_call_id=key).first()) is not None:
        if (stored.name, stored.arguments, stored.turn) == (tool_call.kept_name, read, tool_call.caller_turns):
            return key, stored
        count += 1
        key = f"{base}~{count}"
    return key, None


def _answer(call: Call, tool_call: _ToolCall, read: Mapping[str, object]) -> Answer:
    version = call.agent_version
    chosen = None if version is None else {*version.tools, *RECORDING_TOOLS}
    return answer_request(call, tool_call.name, read, caller_turns=tool_call.caller_turns, chosen=chosen)


def answer_request(
    call: Call,
    name: str,
    read: Mapping[str, object],
    *,
    caller_turns: int,
    chosen: Collection[str] | None,
    now: dt.datetime | None = None,
) -> Answer:
    """What the tool answers, inside the caller's transaction. `chosen`: the agent's tools; None for all of them."""
    try:
        tool = EVERY_TOOL.get(name)
        if tool is None or (chosen is not None and name not in chosen):
            raise Refused(UNKNOWN_TOOL)
        arguments = read_fields(read, tool.arguments)
        # A savepoint: what a refusal leaves half done is undone, and the record of it stays.
        with transaction.atomic():
            return tool.run(ToolRequest(call, arguments, caller_turns, now or timezone.now()))
    except Refused as refused:
        return Answer(refused.say, is_ok=False)

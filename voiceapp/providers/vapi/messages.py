"""VAPI's server messages as values: the shapes that it has used so far are read here alone (protocols C3)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, NoReturn

UNREADABLE = (ValueError, RecursionError)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MAX_ID = 64
MAX_TYPE = 60
MAX_LINES = 1000
MAX_TEXT = 4000
# Older and custom models have other names for the same two speakers.
CALLERS = frozenset({"user", "customer"})
AGENTS = frozenset({"bot", "assistant"})
# Where a conversation stands in a message, the best first.
CONVERSATIONS = (
    ("artifact", "messages"),
    ("artifact", "messagesOpenAIFormatted"),
    ("messages",),
    ("messagesOpenAIFormatted",),
    ("conversation",),
    ("call", "messages"),
)


class MessageUnreadable(ValueError):
    """The body is no message of VAPI's."""


@dataclass(frozen=True, slots=True)
class RequestedTool:
    """A tool call of the model. `arguments` is JSON text, whatever VAPI sent. `id` is empty in the legacy shape."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """A line of the conversation; `at_ms` is None where VAPI names no time."""

    speaker: Literal["caller", "agent"]
    text: str
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class VapiMessage:
    """`record` is the object under `message`, as it came: any field may be anything, and no property fails."""

    record: Mapping[str, Any]
    body_sha256: str = ""

    @property
    def type(self) -> str:
        return text_of(self.record, "type", longest=MAX_TYPE)

    @property
    def call(self) -> Mapping[str, Any]:
        return part_of(self.record, "call")

    @property
    def call_id(self) -> str:
        """VAPI's id of the call."""
        return text_of(self.call, "id", longest=MAX_ID)

    @property
    def timestamp(self) -> dt.datetime | None:
        return epoch_ms(self.record.get("timestamp"))

    @property
    def key(self) -> str:
        """The same when VAPI sends the message again."""
        return f"{self.call_id}:{self.type}:{_number_text(self.record.get('timestamp'))}:{self.body_sha256[:16]}"

    @property
    def assistant_id(self) -> str:
        """The stored assistant that speaks, if it is one."""
        return text_of(self.call, "assistantId", longest=MAX_ID) or text_of(
            part_of(self.record, "assistant"), "id", longest=MAX_ID
        )

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What we gave the call when it was made; VAPI repeats it in one of several places."""
        places = (
            part_of(self.call, "assistantOverrides"),
            self.call,
            part_of(self.record, "assistantOverrides"),
            part_of(self.call, "assistant"),
            part_of(self.record, "assistant"),
        )
        return next((found for place in places if (found := part_of(place, "metadata"))), {})

    @property
    def dialed_number(self) -> str:
        """Of a call that came in at a number of VAPI's."""
        number = part_of(self.record, "phoneNumber") or part_of(self.call, "phoneNumber")
        return text_of(number, "number") or text_of(number, "twilioPhoneNumber")

    @property
    def caller_number(self) -> str:
        customer = part_of(self.record, "customer") or part_of(self.call, "customer")
        return text_of(customer, "number") or text_of(customer, "sipUri")

    @property
    def control_url(self) -> str:
        """A secret: it controls the call without a key."""
        return text_of(part_of(self.call, "monitor"), "controlUrl", longest=2000)

    @property
    def tools(self) -> list[RequestedTool]:
        """The tool calls in VAPI's order: of all its lists the first that has any, or the legacy function call."""
        for name in ("toolCallList", "toolCalls"):
            if found := [_tool_of(each) for each in list_of(self.record, name)]:
                return found
        pairs = [each for each in list_of(self.record, "toolWithToolCallList") if isinstance(each, Mapping)]
        if pairs:
            return [_tool_of(part_of(pair, "toolCall"), named=pair) for pair in pairs]
        legacy = self.record.get("functionCall")
        return [_tool_of(legacy)] if isinstance(legacy, Mapping) else []

    @property
    def conversation(self) -> Sequence[Mapping[str, Any]] | None:
        """The messages so far, oldest first; None where VAPI sent none."""
        for path in CONVERSATIONS:
            place: Mapping[str, Any] = self.record
            for name in path[:-1]:
                place = part_of(place, name)
            found = place.get(path[-1])
            if isinstance(found, list):
                return [each for each in found if isinstance(each, Mapping)]
        return None


def read_message(body: bytes) -> VapiMessage:
    """Of a verified body. Raises MessageUnreadable."""
    try:
        # The standard library's: it takes the half of a surrogate pair, which a text cut by a model ends with.
        document = json.loads(body, parse_float=_finite, parse_constant=_refuse_constant)
    except UNREADABLE as exc:
        raise MessageUnreadable("not JSON") from exc
    record = document.get("message") if isinstance(document, dict) else None
    if not isinstance(record, dict):
        raise MessageUnreadable("no message object")
    message = VapiMessage(record, hashlib.sha256(body).hexdigest())
    if not message.type:
        raise MessageUnreadable("no type")
    return message


def _finite(text: str) -> float:
    """No database keeps an infinite number in JSON."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text[:20])
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def caller_turns(conversation: Sequence[Mapping[str, Any]]) -> int:
    """How often the caller has spoken after the agent had: several messages in a row are one turn.

    What the caller said before the agent is heard again is no reply to them.
    """
    turns, has_agent_spoken = 0, True
    for message in conversation:
        role = text_of(message, "role")
        if role in AGENTS and spoken_text(message):
            has_agent_spoken = True
        elif role in CALLERS and has_agent_spoken and spoken_text(message):
            turns += 1
            has_agent_spoken = False
    return turns


def spoken_lines(conversation: Sequence[Mapping[str, Any]]) -> list[SpokenLine]:
    """What was said, without prompts and tools."""
    lines = []
    for message in conversation:
        role, text = text_of(message, "role"), spoken_text(message)
        if text and (role in CALLERS or role in AGENTS):
            seconds = number_of(message, "secondsFromStart")
            at_ms = None if seconds is None else int(min(max(seconds, 0), 86_400) * 1000)
            lines.append(SpokenLine("caller" if role in CALLERS else "agent", text, at_ms))
    return lines[:MAX_LINES]


def spoken_text(message: Mapping[str, Any]) -> str:
    """Of VAPI's own shape (`message`) or of OpenAI's (`content`)."""
    return text_of(message, "message", longest=MAX_TEXT) or text_of(message, "content", longest=MAX_TEXT)


def _tool_of(record: object, *, named: Mapping[str, Any] | None = None) -> RequestedTool:
    """`{id, function: {name, arguments}}`, `{id, name, arguments}` or `{id, name, parameters}`."""
    call = record if isinstance(record, Mapping) else {}
    function, around = part_of(call, "function"), named or {}
    places = (function, call, around, part_of(part_of(around, "tool"), "function"), part_of(around, "function"))
    name = next((found for place in places if (found := text_of(place, "name"))), "")
    given: object = next(
        (place[field] for place in (function, call) for field in ("arguments", "parameters") if place.get(field)), {}
    )
    try:
        arguments = given if isinstance(given, str) else json.dumps(given)
    except RecursionError:  # as deep as could just be read
        arguments = "[]"
    return RequestedTool(text_of(call, "id", longest=200) or text_of(call, "toolCallId", longest=200), name, arguments)


# Fields of a record that may have any type


def part_of(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = record.get(name)
    return part if isinstance(part, Mapping) else {}


def list_of(record: Mapping[str, Any], name: str) -> list[Any]:
    part = record.get(name)
    return part if isinstance(part, list) else []


def text_of(record: Mapping[str, Any], name: str, *, longest: int = 200) -> str:
    """Printable text that a database can keep, empty where there is none; line breaks become spaces."""
    value = record.get(name)
    if not isinstance(value, str):
        return ""
    sound = value[: longest * 2].encode("utf-8", "replace").decode()
    return "".join(sign if sign.isprintable() else " " for sign in sound).strip()[:longest]


def number_of(record: Mapping[str, Any], name: str) -> float | None:
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e15:
        return None
    return float(value)


def money_of(record: Mapping[str, Any], name: str) -> Decimal | None:
    """US dollars, not negative; None where it is no such number."""
    value = number_of(record, name)
    try:
        amount = None if value is None else Decimal(str(value)).quantize(Decimal("0.000001"))
    except InvalidOperation:
        return None
    return amount if amount is not None and 0 <= amount < 10_000 else None


def time_of(record: Mapping[str, Any], name: str) -> dt.datetime | None:
    """Of ISO 8601, or of epoch milliseconds."""
    value = record.get(name)
    if not isinstance(value, str):
        return epoch_ms(value)
    try:
        at = dt.datetime.fromisoformat(value[:40])
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def epoch_ms(value: object) -> dt.datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e14:
        return None
    return EPOCH + dt.timedelta(milliseconds=value)


def objects_of(record: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    return (each for each in list_of(record, name) if isinstance(each, Mapping))


def _number_text(value: object) -> str:
    return str(value)[:20] if isinstance(value, int | float) and not isinstance(value, bool) else ""

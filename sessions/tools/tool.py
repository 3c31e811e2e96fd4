"""What a tool is: a name, a schema, and a function from a request to an answer."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from sessions.calls.briefing import FunctionTool
from sessions.calls.models import Call
from sessions.calls.outcomes import EndCall, RecordingEnd, ToolResult, Transfer

A = TypeVar("A", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class ToolRequest(Generic[A]):
    """One use of a tool."""

    call: Call
    arguments: A
    caller_turns: int
    now: dt.datetime


class NoArguments(msgspec.Struct):
    """Arguments of a tool without arguments."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A sentence for the caller and facts for the model.

    `transfer_to`, `ends_call` and `recording` say what the bridge does next; they are a part of the output, so that a
    repeated request can be answered from the stored one.
    """

    say: str
    is_ok: bool = True
    facts: Mapping[str, object] = field(default_factory=dict)
    transfer_to: str = ""
    ends_call: bool = False
    recording: RecordingEnd | None = None

    def output(self) -> dict[str, object]:
        then: dict[str, object] = {}
        if self.transfer_to:
            then["transfer_to"] = self.transfer_to
        if self.ends_call:
            then["ends_call"] = True
        if self.recording:
            then["recording"] = self.recording.value
        return {"ok": self.is_ok, "say": self.say, **self.facts, **then}


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    """`arguments` is the type that the model's arguments are read as, and their JSON schema; `run` may raise Refused.

    `only_reads`: it changes nothing, neither rows nor the call, so that it may run beside others of its kind. All other
    tools of a call run one after the other.
    """

    name: str
    description: str
    arguments: type[A]
    only_reads: bool
    run: Callable[[ToolRequest[A]], Answer]

    def as_function(self) -> FunctionTool:
        """The tool in the shape of a GA session."""
        parameters = schema_of(self.arguments)
        return FunctionTool(type="function", name=self.name, description=self.description, parameters=parameters)


@cache
def schema_of(shape: Any) -> dict[str, object]:
    """The JSON schema of a Struct, or of a type of them, for a model: closed, without references and null."""
    schema = msgspec.json.schema(shape)
    return _inline(schema, schema.pop("$defs", {}))


def _inline(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, object]:
    if "$ref" in schema:
        return _inline(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if schema.get("default", "") is None:
        return _inline(schema["anyOf"][0], definitions)  # an optional field
    piece = {key: value for key, value in schema.items() if key not in ("default", "discriminator")}
    if schema.get("type") == "object":
        # Without title and description: msgspec takes them from the Struct's name and docstring.
        required = {"required": piece["required"]} if piece["required"] else {}
        properties = {key: _inline(each, definitions) for key, each in schema["properties"].items()}
        return {"type": "object", "properties": properties, **required, "additionalProperties": False}
    if "items" in schema:
        piece["items"] = _inline(schema["items"], definitions)
    if "anyOf" in schema:
        piece["anyOf"] = [_inline(each, definitions) for each in schema["anyOf"]]
    return {"type": "string"} | piece if "enum" in schema else piece


def result_of(output: Mapping[str, object]) -> ToolResult:
    """The result for the bridge of an output, fresh or stored."""
    then: Transfer | EndCall | None = None
    if target := output.get("transfer_to"):
        then = Transfer(str(target))
    elif output.get("ends_call"):
        then = EndCall()
    recording = output.get("recording")
    return ToolResult(
        json.dumps(output, ensure_ascii=False, separators=(",", ":")),
        then,
        RecordingEnd(str(recording)) if recording else None,
    )

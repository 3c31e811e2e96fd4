"""What a tool is: a name, a schema, and a function from a request to an answer."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sessions.calls.briefing import FunctionTool
from sessions.calls.models import Call
from sessions.calls.outcomes import EndCall, ToolResult, Transfer
from sessions.orders.draft import Refused


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """One use of a tool. `arguments` is an object as the model wrote it, cleaned but not checked."""

    call: Call
    arguments: Mapping[str, object]
    caller_turns: int
    now: dt.datetime

    def text(self, key: str, *, question: str, longest: int = 200) -> str:
        """A text argument, empty if it was not given; raises Refused with the question if it is none."""
        value = self.arguments.get(key)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > longest:
            raise Refused(question)
        return " ".join(value.split())


@dataclass(frozen=True, slots=True)
class Answer:
    """A sentence for the caller and facts for the model.

    `transfer_to` and `ends_call` say what the bridge does next; they are a part of the output, so that a repeated
    request can be answered from the stored one.
    """

    say: str
    is_ok: bool = True
    facts: Mapping[str, object] = field(default_factory=dict)
    transfer_to: str = ""
    ends_call: bool = False

    def output(self) -> dict[str, object]:
        then: dict[str, object] = {}
        if self.transfer_to:
            then["transfer_to"] = self.transfer_to
        if self.ends_call:
            then["ends_call"] = True
        return {"ok": self.is_ok, "say": self.say, **self.facts, **then}


@dataclass(frozen=True, slots=True)
class Tool:
    """`parameters` is a JSON schema without additional properties; `run` may raise Refused.

    `only_reads`: it changes nothing, neither rows nor the call, so that it may run beside others of its kind. All other
    tools of a call run one after the other.
    """

    name: str
    description: str
    parameters: dict[str, object]
    only_reads: bool
    run: Callable[[ToolRequest], Answer]

    def as_function(self) -> FunctionTool:
        """The tool in the shape of a GA session."""
        return FunctionTool(type="function", name=self.name, description=self.description, parameters=self.parameters)

    def check_keys(self, arguments: Mapping[str, object]) -> None:
        """Raises Refused for an argument that the schema does not have."""
        properties = self.parameters["properties"]
        assert isinstance(properties, dict)
        for key in arguments.keys() - properties.keys():
            raise Refused(f"I do not know what to do with “{key[:40]}”.")


def no_parameters() -> dict[str, object]:
    """The schema of a tool that takes nothing."""
    return {"type": "object", "properties": {}, "additionalProperties": False}


def result_of(output: Mapping[str, object]) -> ToolResult:
    """The result for the bridge of an output, fresh or stored."""
    then: Transfer | EndCall | None = None
    if target := output.get("transfer_to"):
        then = Transfer(str(target))
    elif output.get("ends_call"):
        then = EndCall()
    return ToolResult(json.dumps(output, ensure_ascii=False, separators=(",", ":")), then)

"""Runs the tools that the model calls: webhooks to the server of the tool, in each shape that VAPI has sent."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from voiceapp.simulators.model.agent.outputs import FunctionCall
from voiceapp.simulators.model.conversation import FunctionTool
from voiceapp.simulators.vapi.faults import VapiFaults
from voiceapp.simulators.vapi.transcript import tool_call
from voiceapp.simulators.vapi.webhooks import CallWebhooks, Server

NO_RESULT = "No result returned."
HANG_AFTER_S = 5.0
# VAPI's own tools by the names that the model uses.
BUILT_IN = {"endCall": "end_call", "transferCall": "transfer_call"}
Describe = Callable[[str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """`message` is spoken instead of what the model would say."""

    result: str
    is_error: bool = False
    message: str = ""


class ToolRunner:
    """The function tools of an assistant. `describe` makes the message of a webhook; `emit` informs the client."""

    def __init__(
        self, definitions: list[dict[str, Any]], *, server_of: Callable[[Mapping[str, Any]], Server | None],
        webhooks: CallWebhooks, faults: VapiFaults, describe: Describe, emit: Callable[..., None],
    ) -> None:  # fmt: skip
        self._definitions = {name_of(each): each for each in definitions}
        self._server_of, self._webhooks, self._faults = server_of, webhooks, faults
        self._describe, self._emit = describe, emit

    def functions(self) -> tuple[FunctionTool, ...]:
        """The tools as the model sees them."""
        return tuple(_as_function(name, each) for name, each in self._definitions.items())

    def definition(self, name: str) -> dict[str, Any]:
        return self._definitions.get(name, {})

    def built_in(self, name: str) -> str | None:
        """`endCall` or `transferCall`, if the tool is one of VAPI's own."""
        kind = self.definition(name).get("type")
        return str(kind) if kind in BUILT_IN else None

    def said_at_start(self, name: str) -> str:
        return self._message(name, "request-start")

    def said_when_delayed(self, name: str) -> tuple[str, float]:
        """What is said if the tool takes longer than so many seconds; empty: nothing."""
        found = self._messages(name, "request-response-delayed")
        text = str(found[0].get("content") or "") if found else ""
        return text, float(found[0].get("timingMilliseconds") or 1000) / 1000 if found else 0.0

    async def run(self, calls: Mapping[str, FunctionCall]) -> dict[str, ToolOutcome]:
        """The outcome of each call by its id; calls of the same server are in one webhook."""
        self._emit("tool-calls", **self._lists(calls, "sdk"))
        groups: dict[str, list[str]] = {}
        servers: dict[str, Server] = {}
        outcomes: dict[str, ToolOutcome] = {}
        for call_id, call in calls.items():
            server = self._server_of(self.definition(call.name))
            if server is None or not server.get("url"):
                outcomes[call_id] = ToolOutcome(NO_RESULT)
                continue
            key = json.dumps(server, sort_keys=True)
            servers[key] = server
            groups.setdefault(key, []).append(call_id)
        results = await asyncio.gather(
            *(self._request(servers[key], {each: calls[each] for each in ids}) for key, ids in groups.items())
        )
        for answered in results:
            outcomes |= answered
        for call_id, outcome in outcomes.items():
            name = calls[call_id].name
            self._emit(
                "tool-calls-result", toolCallResult={"toolCallId": call_id, "name": name, "result": outcome.result}
            )
        return outcomes

    async def _request(self, server: Server, calls: Mapping[str, FunctionCall]) -> dict[str, ToolOutcome]:
        shape = self._faults.chosen.get("tool_shape", "sdk")
        if all(self.definition(call.name).get("async") for call in calls.values()):
            self._webhooks.report(server, {**self._describe("tool-calls"), **self._lists(calls, shape)})
            return {call_id: ToolOutcome("Success.") for call_id in calls}
        if shape == "legacy":
            return {call_id: await self._request_legacy(server, call) for call_id, call in calls.items()}
        message = {**self._describe("tool-calls"), **self._lists(calls, shape)}
        response = await self._response(server, message)
        if response is None or "tool_ignored" in self._faults:
            return {call_id: ToolOutcome(NO_RESULT) for call_id in calls}
        given = response.get("results")
        results = (
            {str(each.get("toolCallId")): each for each in given if isinstance(each, dict)}
            if isinstance(given, list)
            else {}
        )
        return {call_id: self._outcome(call.name, results.get(call_id)) for call_id, call in calls.items()}

    async def _request_legacy(self, server: Server, call: FunctionCall) -> ToolOutcome:
        message = {
            **self._describe("function-call"), "functionCall": {"name": call.name, "parameters": call.arguments},
        }  # fmt: skip
        response = await self._response(server, message)
        if response is None or "result" not in response or "tool_ignored" in self._faults:
            return ToolOutcome(NO_RESULT)
        return ToolOutcome(_single_line(response["result"]))

    async def _response(self, server: Server, message: dict[str, Any]) -> dict[str, Any] | None:
        """The server's response; if it takes long, `hang` is reported meanwhile."""
        requesting = asyncio.ensure_future(self._webhooks.request(server, message))
        patience_s = self._faults.seconds("hang") if "hang" in self._faults else HANG_AFTER_S
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(requesting), patience_s)
        self._emit("hang")
        return await requesting

    def _outcome(self, name: str, result: Mapping[str, Any] | None) -> ToolOutcome:
        if result is None or ("result" not in result and "error" not in result):
            return ToolOutcome(NO_RESULT)
        is_error = "result" not in result
        given = result.get("message")
        spoken = given.get("content") or given.get("message") if isinstance(given, dict) else given
        configured = self._message(name, "request-failed" if is_error else "request-complete")
        text = _single_line(result["error"] if is_error else result["result"])
        return ToolOutcome(text, is_error, str(spoken or configured))

    def _message(self, name: str, kind: str) -> str:
        found = self._messages(name, kind)
        return str(found[0].get("content") or "") if found else ""

    def _messages(self, name: str, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.definition(name).get("messages") or [] if each.get("type") == kind]

    def _lists(self, calls: Mapping[str, FunctionCall], shape: str) -> dict[str, Any]:
        wire = {call_id: _shaped(call_id, call, shape) for call_id, call in calls.items()}
        whole = [{**self.definition(call.name), "toolCall": wire[call_id]} for call_id, call in calls.items()]
        return {"toolCallList": list(wire.values()), "toolWithToolCallList": whole}


def new_tool_call_id() -> str:
    return f"call_{uuid4().hex[:24]}"


def name_of(definition: Mapping[str, Any]) -> str:
    kind = str(definition.get("type"))
    return BUILT_IN.get(kind) or str((definition.get("function") or {}).get("name") or kind)


def _as_function(name: str, definition: Mapping[str, Any]) -> FunctionTool:
    return FunctionTool.of({**(definition.get("function") or {}), "name": name})


def _shaped(call_id: str, call: FunctionCall, shape: str) -> dict[str, Any]:
    """SDK: `function.arguments` is a text (`json`: an object); the docs: `arguments` or `parameters`, objects."""
    if shape in ("arguments", "parameters"):
        return {"id": call_id, "name": call.name, shape: call.arguments}
    wire = tool_call(call_id, call)
    if shape == "json":
        wire["function"]["arguments"] = call.arguments
    return wire


def _by_call_id(results: object) -> dict[str, dict[str, Any]]:
    given = results if isinstance(results, list) else []
    return {str(each.get("toolCallId")): each for each in given if isinstance(each, dict)}


def _single_line(value: Any) -> str:
    """VAPI reads a result as one line of text."""
    return " ".join((value if isinstance(value, str) else json.dumps(value)).split("\n"))

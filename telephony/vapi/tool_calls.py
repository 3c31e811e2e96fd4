"""The tools of a call that VAPI's model requests: the very registry and record of tool calls that all calls use."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Max

from sessions.calls.models import Call, TranscriptLine
from sessions.calls.outcomes import EndCall, ToolResult, Transfer, refusal
from sessions.calls.services import record_event
from sessions.orders.draft import Refused
from sessions.tools.services import NOT_SAVED, NOT_UNDERSTOOD, TOO_LATE, run_tool, stored_result
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.vapi.messages import RequestedTool, VapiMessage, caller_turns

from .legs import CallUnknown, find_leg
from .models import VapiLeg
from .transfers import transfer_at_vapi

logger = structlog.get_logger("vapi")

UNKNOWN_CALL = "I cannot do that on this line."
# More than these are not run, and more than those not even answered: no model calls so many at once.
MOST_TOOLS, MOST_ANSWERED = 20, 200
LEGACY = "function-call"
NOT_SAVED_OUTPUT = refusal(NOT_SAVED).output
PARALLEL_WITHIN_S = 2.0
Answer = dict[str, object]


def within_s() -> float:
    """How long the tools of one message may take together. VAPI waits for 20 s, unless its assistant says otherwise."""
    return min(float(settings.TOOL_TIMEOUT_S), 15.0)


def answer_tool_calls(message: VapiMessage, *, began: float) -> Answer:
    """VAPI's response: one result per tool call in the order of the calls, whatever is wrong with any of them.

    `began` is when the request came, on `time.monotonic()`: nothing is committed after nine tenths of `within_s`.
    """
    try:
        known = find_leg(message)
    except CallUnknown as exc:
        logger.warning("tools of an unknown call", vapi_id=message.call_id, reason=exc.reason)
        return refuse_tool_calls(message, UNKNOWN_CALL)
    turns = count_turns(message, known.call)
    not_after = began + within_s() * 0.9
    tools = message.tools[:MOST_ANSWERED]
    results = [_run(known, tool, message, turns=turns, not_after=not_after) for tool in tools[:MOST_TOOLS]]
    return _response(message, [*results, *(_error(tool, NOT_UNDERSTOOD) for tool in tools[MOST_TOOLS:])])


def refuse_tool_calls(message: VapiMessage, sentence: str = TOO_LATE) -> Answer:
    """The same sentence for each of them."""
    return _response(message, [_error(tool, sentence) for tool in message.tools[:MOST_ANSWERED]])


def count_turns(message: VapiMessage, call: Call) -> int:
    """The caller's turns so far, from the conversation that VAPI sends along.

    A tool that needs the caller's consent compares two of these counts. Both come from the same conversation: the
    recorded transcript counts only where VAPI sends none.
    """
    conversation = message.conversation
    if conversation is not None:
        return caller_turns(conversation)
    lines = TranscriptLine.objects.filter(call=call, speaker=TranscriptLine.Speaker.CALLER)
    return lines.aggregate(last=Max("turn"))["last"] or 0


def _run(known: VapiLeg, tool: RequestedTool, message: VapiMessage, *, turns: int, not_after: float) -> Answer:
    tool_call_id = tool.id or _legacy_id(message)
    if not (tool.name and tool_call_id):
        return _error(tool, NOT_UNDERSTOOD)
    try:
        result = run_tool(
            known.call_id,
            name=tool.name,
            arguments=tool.arguments,
            tool_call_id=tool_call_id,
            caller_turns=turns,
            not_after=not_after,
        )
        if result.output == NOT_SAVED_OUTPUT:
            # The same request may have been faster in another process.
            result = _stored(known, tool_call_id, not_after) or result
    except Exception:
        # A bug in one tool must not cost the others their results: VAPI ignores every response but 200.
        logger.exception("tool crashed", tool=tool.name[:64], call_id=str(known.call_id))
        return _error(tool, NOT_SAVED)
    return _answer(known, tool, result, message)


def _stored(known: VapiLeg, tool_call_id: str, not_after: float) -> ToolResult | None:
    """What a parallel request with this id has done, or is doing; None if there is none for a while."""
    until = min(not_after, time.monotonic() + PARALLEL_WITHIN_S)
    while (result := stored_result(known.call_id, tool_call_id)) is None and time.monotonic() < until:
        time.sleep(0.1)
    return result


def _answer(known: VapiLeg, tool: RequestedTool, result: ToolResult, message: VapiMessage) -> Answer:
    """A plain refusal is VAPI's `error`, everything else its `result`; both are one line.

    The result says by `transfer_to` and `ends_call` what happens then. The bridge reads that on its socket. A call that
    VAPI carries itself has no bridge: VAPI is informed by the result itself or over its control URL.
    """
    output: Mapping[str, Any] = json.loads(result.output)
    if not output.get("ok") and not output.keys() - {"ok", "say"}:
        return _error(tool, str(output.get("say") or NOT_UNDERSTOOD))
    answer: Answer = {"toolCallId": tool.id, "name": tool.name, "result": result.output}
    if not known.carries_phone:
        return answer
    match result.then:
        case EndCall():
            farewell = {"type": "request-complete", "role": "assistant", "content": str(output.get("say", ""))}
            answer["message"] = farewell | {"endCallAfterSpokenEnabled": True}
        case Transfer(target_id):
            try:
                say = str(output.get("say", ""))
                transfer_at_vapi(known.call, target_id, control_url=message.control_url, say=say)
            except (ProviderError, Refused) as fault:
                record_event(known.call_id, "transfer_failed", {"target": target_id, "why": str(fault)[:200]})
                return _error(tool, str(fault) if isinstance(fault, Refused) else "I could not connect you just now.")
    return answer


def _error(tool: RequestedTool, sentence: str) -> Answer:
    return {"toolCallId": tool.id, "name": tool.name, "error": " ".join(sentence.split())}


def _legacy_id(message: VapiMessage) -> str:
    """The legacy message has one call and no id: a repeated one is known by its key."""
    return f"function-call {message.key}" if message.type == LEGACY else ""


def _response(message: VapiMessage, results: list[Answer]) -> Answer:
    if message.type == LEGACY and results:
        # Its response has no `error`: the sentence is the result.
        return {"result": results[0].get("result") or results[0].get("error", "")}
    return {"results": results}

"""Runs the tool that a model asked for: once per request, in one transaction, never raising for what it was sent."""

from __future__ import annotations

import time
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from sessions.draft import Refused
from sessions.models import Call, ToolCall
from sessions.outcomes import ToolResult
from sessions.services.retrying import NotSaved, retried
from sessions.tools import TOOLS, Answer, ToolRequest, result_of
from sessions.tools.arguments import clean_text, read_arguments
from voiceapp.lib import metrics

NOT_SAVED = "I could not save that just now. Nothing was changed. Let me connect you to a person, or try once more."
UNKNOWN_TOOL = "I cannot do that on this line."
Outcome = ToolCall.Outcome


def run_tool(call_id: UUID, *, name: str, arguments: str, tool_call_id: str, caller_turns: int) -> ToolResult:
    """The tool's answer, after what it did was committed.

    A repeated `tool_call_id` answers with the stored output and does nothing. Whatever the database refuses after
    bounded tries is answered with “not saved”. `caller_turns` counts the caller's turns that the core has committed.
    """
    began = time.monotonic()
    key = clean_text(tool_call_id)[:80]
    label = name if name in TOOLS else "unknown"  # a metric's labels come from a closed set
    try:
        result, outcome = retried(
            lambda: _run_once(call_id, name, arguments, key, caller_turns, began), what=f"tool {label}"
        )
    except NotSaved:
        result, outcome = result_of(Answer(NOT_SAVED, is_ok=False).output()), Outcome.FAILED
    metrics.tool_calls.labels(label, outcome).inc()
    return result


def _run_once(
    call_id: UUID, name: str, arguments: str, key: str, caller_turns: int, began: float
) -> tuple[ToolResult, str]:
    """Effect and record in one transaction: a request that was recorded was carried out, and the other way round."""
    with transaction.atomic():
        stored = ToolCall.objects.filter(call_id=call_id, tool_call_id=key).first()
        if stored is not None:
            return result_of(stored.output), stored.outcome
        call = Call.objects.select_related("organization").filter(pk=call_id).first()
        if call is None or call.organization is None:
            return result_of(Answer(UNKNOWN_TOOL, is_ok=False).output()), Outcome.REFUSED
        read: dict[str, object] = {}
        try:
            read = read_arguments(arguments)
            answer = _answer(ToolRequest(call, read, caller_turns, timezone.now()), name)
        except Refused as refusal:
            answer = Answer(refusal.say, is_ok=False)
        outcome = Outcome.DONE if answer.is_ok else Outcome.REFUSED
        output = answer.output()
        ToolCall.objects.create(
            call=call,
            tool_call_id=key,
            name=clean_text(name)[:64],
            arguments=read,
            output=output,
            outcome=outcome,
            turn=min(max(caller_turns, 0), 2**31 - 1),
            duration_ms=int((time.monotonic() - began) * 1000),
            at=timezone.now(),
        )
    return result_of(output), outcome


def _answer(request: ToolRequest, name: str) -> Answer:
    tool = TOOLS.get(name)
    version = request.call.agent_version
    if tool is None or (version is not None and name not in version.tools):
        raise Refused(UNKNOWN_TOOL)
    tool.check_keys(request.arguments)
    # A savepoint: what a refusal leaves half done is undone, and the record of it stays.
    with transaction.atomic():
        return tool.run(request)

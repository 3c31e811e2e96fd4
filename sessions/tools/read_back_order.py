"""Tool: the sentence that repeats the order with its total. Submission needs it."""

from __future__ import annotations

from sessions.orders.services.drafts import read_back_draft
from sessions.orders.services.transfer_targets import too_large

from .tool import Answer, NoArguments, Tool, ToolRequest


def run(request: ToolRequest[NoArguments]) -> Answer:
    view = read_back_draft(request.call, caller_turns=request.caller_turns, now=request.now)
    large = too_large(view, now=request.now)
    if large is not None:
        return Answer(large.say, is_ok=False, facts={"order": view.shown()}, transfer_to=large.target)
    return Answer(view.read_back(), facts={"order": view.shown()})


TOOL = Tool(
    name="read_back_order",
    description="Get the sentence that repeats the whole order and its total. Say it word for word and wait for the "
    "caller's answer; only then may the order be submitted.",
    arguments=NoArguments,
    only_reads=False,
    run=run,
)

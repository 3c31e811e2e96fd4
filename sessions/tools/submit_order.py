"""Tool: send the order that was read back and agreed to."""

from __future__ import annotations

from sessions.orders.services.submission import submit_draft

from .tool import Answer, Tool, ToolRequest


def run(request: ToolRequest) -> Answer:
    name = request.text("customer_name", question="What is your name?", longest=120)
    submission = submit_draft(request.call, caller_turns=request.caller_turns, customer_name=name, now=request.now)
    facts: dict[str, object] = {"order": submission.view.shown()}
    if submission.order is not None:
        facts["order_number"] = submission.order.number
    return Answer(submission.say, is_ok=submission.order is not None, facts=facts, transfer_to=submission.transfer_to)


TOOL = Tool(
    name="submit_order",
    description="Submit the order. Only after read_back_order was spoken and the caller agreed to it. The order is "
    "placed only if the answer is ok; never say so before.",
    parameters={
        "type": "object",
        "properties": {"customer_name": {"type": "string", "maxLength": 120, "description": "If the caller gave it."}},
        "additionalProperties": False,
    },
    only_reads=False,
    run=run,
)

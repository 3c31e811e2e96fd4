"""Tool: send the order that was read back and agreed to."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from sessions.orders.draft.requests import argument
from sessions.orders.services.submission import submit_draft

from .tool import Answer, Tool, ToolRequest


class Customer(Struct):
    customer_name: Annotated[str, argument("What is your name?", "If the caller gave it.", max_length=120)] = ""


def run(request: ToolRequest[Customer]) -> Answer:
    name = request.arguments.customer_name
    submission = submit_draft(request.call, caller_turns=request.caller_turns, customer_name=name, now=request.now)
    facts: dict[str, object] = {"order": submission.view.shown()}
    if submission.order is not None:
        facts["order_number"] = submission.order.number
    return Answer(submission.say, is_ok=submission.order is not None, facts=facts, transfer_to=submission.transfer_to)


TOOL = Tool(
    name="submit_order",
    description="Submit the order. Only after read_back_order was spoken and the caller agreed to it. The order is "
    "placed only if the answer is ok; never say so before.",
    arguments=Customer,
    only_reads=False,
    run=run,
)

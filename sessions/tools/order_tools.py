"""Tools of a call's order: change it, read it back, submit it."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from sessions.orders.draft.changes import MOST_CHANGES
from sessions.orders.draft.requests import Change, argument
from sessions.orders.services.drafts import change_draft, read_back_draft
from sessions.orders.services.submission import submit_draft
from sessions.orders.services.transfer_targets import too_large

from .text_tools import text_answer
from .tool import Answer, NoArguments, Tool, ToolRequest, schema_of

CHANGES = schema_of(Annotated[list[Change], Meta(min_length=1, max_length=MOST_CHANGES)])


class Changes(Struct):
    """The draft validates each change, and its refusals say what is wrong."""

    changes: Annotated[Any, Meta(extra_json_schema=CHANGES)]


def change_order(request: ToolRequest[Changes]) -> Answer:
    view = change_draft(request.call, request.arguments.changes, now=request.now, caller_turns=request.caller_turns)
    return Answer(view.said(), facts={"order": view.shown()})


CHANGE_ORDER = Tool(
    name="change_order",
    description="Change the caller's order. All the changes are made, or none and `say` tells why. Never say that "
    "something is in the order before this has answered.",
    arguments=Changes,
    only_reads=False,
    run=change_order,
)


def read_back_order(request: ToolRequest[NoArguments]) -> Answer:
    view = read_back_draft(request.call, caller_turns=request.caller_turns, now=request.now)
    large = too_large(view, request.call, now=request.now)
    if large is not None:
        return Answer(large.say, is_ok=False, facts={"order": view.shown()}, transfer_to=large.target)
    return Answer(view.read_back(request.now), facts={"order": view.shown()})


READ_BACK_ORDER = Tool(
    name="read_back_order",
    description="Get the sentence that repeats the whole order and its total. Say it word for word and wait for the "
    "caller's answer; only then may the order be submitted.",
    arguments=NoArguments,
    only_reads=False,
    run=read_back_order,
)


class Customer(Struct):
    customer_name: Annotated[str, argument("What is your name?", "If the caller gave it.", max_length=120)] = ""


def submit_order(request: ToolRequest[Customer]) -> Answer:
    name = request.arguments.customer_name
    submission = submit_draft(request.call, caller_turns=request.caller_turns, customer_name=name, now=request.now)
    facts: dict[str, object] = {"order": submission.view.shown()}
    if submission.order is not None:
        facts["order_number"] = submission.order.number
    if submission.text is not None:
        facts["text"] = text_answer(submission.text).say
    return Answer(submission.say, is_ok=submission.order is not None, facts=facts, transfer_to=submission.transfer_to)


SUBMIT_ORDER = Tool(
    name="submit_order",
    description="Submit the order. Only after read_back_order was spoken and the caller agreed to it. The order is "
    "placed only if the answer is ok; never say so before.",
    arguments=Customer,
    only_reads=False,
    run=submit_order,
)

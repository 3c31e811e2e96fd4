"""Tools of a call's order: change it, read it back, submit it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from sessions.orders.draft.changes import MOST_CHANGES
from sessions.orders.draft.requests import Change, argument
from sessions.orders.services.deliveries import (
    WHICH_NUMBER,
    Address,
    checked_again,
    choose_delivery,
    choose_pickup,
    say_terms,
    terms_of,
)
from sessions.orders.services.drafts import change_draft, ordering_organization, read_back_draft
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


class HowToGet(Struct):
    """Where the order goes. Of a delivery all three may come one after the other."""

    how: Annotated[
        Literal["pickup", "delivery"],
        argument("Should we deliver it, or will you pick it up?", "What the caller wants."),
    ]
    postcode: Annotated[
        str,
        argument("What is your postcode?", "In digits and letters. It alone tells whether we deliver.", max_length=20),
    ] = ""
    street: Annotated[
        str, argument("What is your street and house number?", "With the house number.", max_length=120)
    ] = ""
    place: Annotated[str, argument("Which town is it?", "The town, if the caller says it.", max_length=80)] = ""


def choose_how(request: ToolRequest[HowToGet]) -> Answer:
    given, call = request.arguments, request.call
    if given.how == "pickup":
        view = choose_pickup(call, now=request.now)
        return Answer("It will be ready here for you.", facts={"order": view.shown()})
    organization = ordering_organization(call)
    address = Address(given.street, given.postcode, given.place)
    if not given.street:
        terms = terms_of(organization, address)
        return Answer(f"{say_terms(organization, terms)} {WHICH_NUMBER}", facts={"missing": ["street"]})
    view = choose_delivery(call, address, now=request.now)
    assert view.delivery is not None
    return Answer(f"{say_terms(organization, view.delivery)}", facts={"order": view.shown()})


CHOOSE_DELIVERY = Tool(
    name="choose_delivery",
    description="Whether the order is picked up or delivered. Checks the caller's address, and answers what delivery "
    "costs and from which order on. Never promise a delivery before this has answered.",
    arguments=HowToGet,
    only_reads=False,
    run=choose_how,
)


def read_back_order(request: ToolRequest[NoArguments]) -> Answer:
    view = read_back_draft(request.call, caller_turns=request.caller_turns, now=request.now, checked=checked_again)
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

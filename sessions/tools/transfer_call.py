"""Tool: hand the caller to a configured person."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from sessions.orders.draft import Refused
from sessions.orders.draft.requests import argument
from sessions.orders.services.transfer_targets import find_person

from .tool import Answer, Tool, ToolRequest


class Target(Struct):
    target: Annotated[
        str, argument("Whom would you like to speak to?", "The word after TARGET, like front-desk.", max_length=40)
    ]
    reason: Annotated[str, argument("What is it about?", "What it is about, for the person.", max_length=400)] = ""


def run(request: ToolRequest[Target]) -> Answer:
    person = find_person(request.call, request.arguments.target, now=request.now)
    if not person.is_there:
        raise Refused(person.absence)
    return Answer(f"I will connect you to {person.name} now.", transfer_to=person.slug)


TOOL = Tool(
    name="transfer_call",
    description="Hand the caller to one of the people listed under People, when they ask for a person, complain, or "
    "need what you cannot do.",
    arguments=Target,
    only_reads=False,
    run=run,
)

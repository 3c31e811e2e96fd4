"""Tool: hand the caller to a configured person."""

from __future__ import annotations

from sessions.orders.draft import Refused
from sessions.orders.services.transfer_targets import find_person

from .tool import Answer, Tool, ToolRequest


def run(request: ToolRequest) -> Answer:
    slug = request.text("target", question="Whom would you like to speak to?", longest=40)
    request.text("reason", question="What is it about?", longest=400)
    person = find_person(request.call, slug, now=request.now)
    if not person.is_there:
        raise Refused(person.absence)
    return Answer(f"I will connect you to {person.name} now.", transfer_to=person.slug)


TOOL = Tool(
    name="transfer_call",
    description="Hand the caller to one of the people listed under People, when they ask for a person, complain, or "
    "need what you cannot do.",
    parameters={
        "type": "object",
        "properties": {
            "target": {"type": "string", "maxLength": 40, "description": "The word after TARGET, like front-desk."},
            "reason": {"type": "string", "maxLength": 400, "description": "What it is about, for the person."},
        },
        "required": ["target"],
        "additionalProperties": False,
    },
    only_reads=False,
    run=run,
)

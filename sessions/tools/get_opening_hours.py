"""Tool: when the organization is open."""

from __future__ import annotations

from agents.hours.queries import load_schedule
from agents.hours.schedule import hours_sentence, week_sentence

from .tool import Answer, NoArguments, Tool, ToolRequest


def run(request: ToolRequest[NoArguments]) -> Answer:
    organization = request.call.organization
    assert organization is not None
    schedule = load_schedule(organization)
    return Answer(
        hours_sentence(schedule, request.now),
        facts={"is_open": schedule.is_open_at(request.now), "week": week_sentence(schedule)},
    )


TOOL = Tool(
    name="get_opening_hours",
    description="Whether we are open now, until when, and the hours of the week.",
    arguments=NoArguments,
    only_reads=True,
    run=run,
)

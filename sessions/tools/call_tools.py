"""Tools of the call itself: transfer it, end it, say the opening hours, stop its recording."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from agents.hours.queries import load_schedule
from agents.hours.schedule import hours_sentence, week_sentence
from sessions.calls.declined_recordings import DeclinedBy, decline_recording
from sessions.orders.draft import Refused
from sessions.orders.draft.requests import argument
from sessions.orders.services.transfer_targets import find_person

from .tool import Answer, NoArguments, Tool, ToolRequest


class Target(Struct):
    target: Annotated[
        str, argument("Whom would you like to speak to?", "The word after TARGET, like front-desk.", max_length=40)
    ]
    reason: Annotated[str, argument("What is it about?", "What it is about, for the person.", max_length=400)] = ""


def transfer_call(request: ToolRequest[Target]) -> Answer:
    person = find_person(request.call, request.arguments.target, now=request.now)
    if not person.is_there:
        raise Refused(person.absence)
    return Answer(f"I will connect you to {person.name} now.", transfer_to=person.slug)


TRANSFER_CALL = Tool(
    name="transfer_call",
    description="Hand the caller to one of the people listed under People, when they ask for a person, complain, or "
    "need what you cannot do.",
    arguments=Target,
    only_reads=False,
    run=transfer_call,
)


def end_call(request: ToolRequest[NoArguments]) -> Answer:
    return Answer("Thank you for calling. Goodbye.", ends_call=True)


END_CALL = Tool(
    name="end_call",
    description="Hang up, once the caller has said goodbye or wants nothing more. Say a short goodbye in the same "
    "response. The call ends when the caller has heard it.",
    arguments=NoArguments,
    only_reads=False,
    run=end_call,
)


def get_opening_hours(request: ToolRequest[NoArguments]) -> Answer:
    organization = request.call.organization
    assert organization is not None
    schedule = load_schedule(organization)
    return Answer(
        hours_sentence(schedule, request.now),
        facts={"is_open": schedule.is_open_at(request.now), "week": week_sentence(schedule)},
    )


GET_OPENING_HOURS = Tool(
    name="get_opening_hours",
    description="Whether we are open now, until when, and the hours of the week.",
    arguments=NoArguments,
    only_reads=True,
    run=get_opening_hours,
)


def stop_recording(request: ToolRequest[NoArguments]) -> Answer:
    declined = decline_recording(request.call.pk, by=DeclinedBy.TOOL)
    return Answer(declined.say, is_ok=declined.recording is not None, recording=declined.recording)


STOP_RECORDING = Tool(
    name="stop_recording",
    description="Stop the recording of this call and delete it, as soon as the caller does not want to be recorded. "
    "The call goes on. Then say its sentence.",
    arguments=NoArguments,
    only_reads=False,
    run=stop_recording,
)

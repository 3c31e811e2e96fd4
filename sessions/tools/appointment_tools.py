"""Tools of appointments: services, free times, the draft of an appointment, and the caller's own appointments."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from agents.catalog.offers import ServiceOffer, say_duration, say_price
from agents.catalog.queries import load_services
from sessions.appointments.calendars.services.schedule import refresh_soon
from sessions.appointments.models import LONGEST_CUSTOMER, LONGEST_NOTE, LONGEST_VEHICLE, Appointment
from sessions.appointments.services.confirmed import (
    Outcome,
    ask_or_cancel,
    ask_or_move,
    book_draft,
    own_appointments,
    say_own,
)
from sessions.appointments.services.drafts import Choice, choose, organization_of, read_back
from sessions.appointments.services.services_said import NO_SERVICES, WHICH_SERVICE, find_service, services_named
from sessions.appointments.services.times_said import WHEN, offer_times, wish_of
from sessions.appointments.texts import newest_text
from sessions.appointments.wishes.reading import LONGEST_WISH
from sessions.appointments.wording import say_start, written
from sessions.messages.texts.kinds import TextKind
from sessions.orders.draft.names import either
from sessions.orders.draft.requests import argument
from voiceapp.core.phones.numbers import LONGEST_TYPED

from .text_tools import text_answer
from .tool import Answer, NoArguments, Tool, ToolRequest

MOST_SERVICES = 8
MOST_SAID = 3
WORDS_OF_TIME = (
    "In English, in the caller's words: “tomorrow at 9”, “next Friday morning”, “in two weeks”, “after 3 pm on "
    "December 4”, or as `time` in a tool's answer, “2026-12-04 09:00”. Never compute a date yourself."
)

ServiceName = Annotated[str, argument(WHICH_SERVICE, "A service's name as listed under Services.", max_length=80)]


class ServiceQuery(Struct):
    query: Annotated[
        str,
        argument(WHICH_SERVICE, "What the caller asked for; empty for all of them.", max_length=200),
    ]


def look_up_services(request: ToolRequest[ServiceQuery]) -> Answer:
    services = load_services(organization_of(request.call).pk)
    if not services.offers:
        return Answer(NO_SERVICES, is_ok=False, facts={"services": []})
    query = request.arguments.query
    found = (services_named(query, services) if query else list(services.offers))[:MOST_SERVICES]
    if not found:
        return Answer(f"We do not offer “{query[:60]}”.", is_ok=False, facts={"services": []})
    facts = {"services": [_show(offer) for offer in found]}
    if not query:
        return Answer(f"We have {either([offer.name for offer in found[:MOST_SAID]])}.", facts=facts)
    return Answer(". ".join(_say(offer, services.currency) for offer in found[:MOST_SAID]) + ".", facts=facts)


def _say(offer: ServiceOffer, currency: str) -> str:
    price = f"costs {say_price(offer.price, currency)}" if offer.is_priced else "has no fixed price"
    return f"{offer.name} {price} and takes {say_duration(offer.duration_minutes)}"


def _show(offer: ServiceOffer) -> dict[str, object]:
    return {
        "name": offer.name,
        "price": f"{offer.price:.2f}" if offer.is_priced else "",
        "minutes": offer.duration_minutes,
        "description": offer.description,
    }


LOOK_UP_SERVICES = Tool(
    name="look_up_services",
    description="Find services by name, with price and duration.",
    arguments=ServiceQuery,
    only_reads=True,
    run=look_up_services,
)


class TimesQuery(Struct):
    service: ServiceName
    when: Annotated[
        str, argument(WHEN, f"When the caller would like to come; empty for as soon as possible. {WORDS_OF_TIME}",
                      max_length=LONGEST_WISH)
    ] = ""  # fmt: skip


def find_appointment_times(request: ToolRequest[TimesQuery]) -> Answer:
    organization = organization_of(request.call)
    service = find_service(organization, request.arguments.service)
    wish = wish_of(organization, request.arguments.when, request.now)
    offered = offer_times(organization, service, wish, request.now)
    # For the booking: what stands in a calendar since it was last read counts then.
    refresh_soon(organization.pk)
    times = [
        {"time": written(start, organization.zone), "say": say_start(start, request.now, organization.zone)}
        for start in offered.starts
    ]
    return Answer(
        offered.say, is_ok=bool(times), facts={"service": service.name, "as_wished": offered.suits, "times": times}
    )


FIND_APPOINTMENT_TIMES = Tool(
    name="find_appointment_times",
    description="Find free times for a service, at most three near what the caller wishes. Only these may be offered.",
    arguments=TimesQuery,
    only_reads=True,
    run=find_appointment_times,
)


class Chosen(Struct):
    service: ServiceName | None = None
    time: Annotated[str, argument(WHEN, f"One day and time. {WORDS_OF_TIME}", max_length=LONGEST_WISH)] | None = None
    customer_name: Annotated[
        str, argument("What is your name?", "The caller's name.", max_length=LONGEST_CUSTOMER)
    ] | None = None  # fmt: skip
    customer_number: Annotated[
        str,
        argument("At what number can we reach you?",
                 "Only if it is another one than that from which the caller calls.", max_length=LONGEST_TYPED),
    ] | None = None  # fmt: skip
    vehicle: Annotated[
        str, argument("Which car is it?", "Make, model and plate, as far as they were said.",
                      max_length=LONGEST_VEHICLE)
    ] | None = None  # fmt: skip
    note: Annotated[
        str, argument("Could you say that in fewer words?", "What else the workshop must know.",
                      max_length=LONGEST_NOTE)
    ] | None = None  # fmt: skip


def choose_appointment(request: ToolRequest[Chosen]) -> Answer:
    given = request.arguments
    choice = Choice(
        service=given.service or "",
        time=given.time or "",
        customer_name=given.customer_name or "",
        customer_number=given.customer_number or "",
        vehicle=given.vehicle or "",
        note=given.note or "",
    )
    view = choose(request.call, choice, now=request.now, caller_turns=request.caller_turns)
    return Answer(view.said(), facts={"draft": view.shown()})


CHOOSE_APPOINTMENT = Tool(
    name="choose_appointment",
    description="Put what the caller has chosen into the appointment that is being made: each field when it is known. "
    "What is left out stays as it was. `missing` has the questions that are left. Nothing is booked yet.",
    arguments=Chosen,
    only_reads=False,
    run=choose_appointment,
)


def read_back_appointment(request: ToolRequest[NoArguments]) -> Answer:
    view = read_back(request.call, caller_turns=request.caller_turns, now=request.now)
    return Answer(view.read_back(), facts={"draft": view.shown()})


READ_BACK_APPOINTMENT = Tool(
    name="read_back_appointment",
    description="Get the sentence that repeats the appointment with weekday and date. Say it word for word and wait "
    "for the caller's answer; only then may it be booked.",
    arguments=NoArguments,
    only_reads=False,
    run=read_back_appointment,
)


def book_appointment(request: ToolRequest[NoArguments]) -> Answer:
    outcome, view = book_draft(request.call, caller_turns=request.caller_turns, now=request.now)
    facts: dict[str, object] = {"draft": view.shown()}
    if outcome.appointment is not None:
        facts["appointment"] = outcome.appointment.number
        facts |= _text_facts(outcome.appointment, TextKind.APPOINTMENT_CONFIRMATION)
    return Answer(outcome.say, is_ok=outcome.appointment is not None, facts=facts)


BOOK_APPOINTMENT = Tool(
    name="book_appointment",
    description="Book the appointment. Only after read_back_appointment was spoken and the caller agreed to it. It is "
    "booked only if the answer is ok; never say so before.",
    arguments=NoArguments,
    only_reads=False,
    run=book_appointment,
)


def find_my_appointments(request: ToolRequest[NoArguments]) -> Answer:
    organization = organization_of(request.call)
    own = own_appointments(request.call, request.now)
    shown = [
        {
            "appointment": each.number,
            "service": each.service_name,
            "time": written(each.starts_at, organization.zone),
            "say": say_start(each.starts_at, request.now, organization.zone),
            "vehicle": each.vehicle,
        }
        for each in own
    ]
    return Answer(say_own(own, organization, request.now), is_ok=bool(own), facts={"appointments": shown})


FIND_MY_APPOINTMENTS = Tool(
    name="find_my_appointments",
    description="Find the coming appointments of the number that calls, before moving or canceling one of them.",
    arguments=NoArguments,
    only_reads=True,
    run=find_my_appointments,
)

AppointmentNumber = Annotated[
    int, argument("Which appointment do you mean?", "`appointment` in the answer of find_my_appointments.", ge=1)
]


class Move(Struct):
    appointment: AppointmentNumber
    time: Annotated[str, argument(WHEN, f"The new day and time. {WORDS_OF_TIME}", max_length=LONGEST_WISH)]


def move_appointment(request: ToolRequest[Move]) -> Answer:
    given = request.arguments
    outcome = ask_or_move(
        request.call, given.appointment, given.time, caller_turns=request.caller_turns, now=request.now
    )
    return _answer(outcome, TextKind.APPOINTMENT_MOVED)


MOVE_APPOINTMENT = Tool(
    name="move_appointment",
    description="Move one of the caller's appointments. The first use answers with a question: say it word for word. "
    "When the caller agrees, use it again with the same arguments; it is moved only if `done` is true.",
    arguments=Move,
    only_reads=False,
    run=move_appointment,
)


class Cancel(Struct):
    appointment: AppointmentNumber
    reason: Annotated[
        str, argument("Why would you like to cancel it?", "If the caller gave one.", max_length=LONGEST_NOTE)
    ] = ""


def cancel_appointment(request: ToolRequest[Cancel]) -> Answer:
    given = request.arguments
    outcome = ask_or_cancel(
        request.call, given.appointment, given.reason, caller_turns=request.caller_turns, now=request.now
    )
    return _answer(outcome, TextKind.APPOINTMENT_CANCELED)


CANCEL_APPOINTMENT = Tool(
    name="cancel_appointment",
    description="Cancel one of the caller's appointments. The first use answers with a question: say it word for word. "
    "When the caller agrees, use it again with the same arguments; it is canceled only if `done` is true.",
    arguments=Cancel,
    only_reads=False,
    run=cancel_appointment,
)


def _answer(outcome: Outcome, kind: TextKind) -> Answer:
    """Asking back is no refusal: the caller's answer is what is missing."""
    is_done = outcome.appointment is not None
    facts: dict[str, object] = {"done": is_done}
    if outcome.appointment is not None:
        facts |= _text_facts(outcome.appointment, kind)
    return Answer(outcome.say, is_ok=is_done or outcome.is_asked, facts=facts)


def _text_facts(appointment: Appointment, kind: TextKind) -> dict[str, object]:
    """What the caller may be told of the text that confirms it, if there is one."""
    text = newest_text(appointment, kind)
    return {} if text is None else {"text": text_answer(text).say}

"""Carries out what the caller has confirmed: books the draft, moves or cancels an appointment, each exactly once.

Where a person changes the appointment meanwhile, ConcurrentUpdate lets the tool begin again with what it is now.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from agents.organizations.models import Organization
from sessions.appointments.models import Appointment, DraftAppointment
from sessions.appointments.queries import upcoming_of
from sessions.appointments.wording import say_start
from sessions.calls.models import Call
from sessions.orders.draft import Refused
from voiceapp.core.transactions import ConcurrentUpdate

from .booking import Customer, NotPossible, Origin, book_appointment, cancel_appointment, move_appointment
from .drafts import (
    READ_BACK_FIRST,
    DraftView,
    caller_of,
    check_bookable,
    lock_draft,
    not_confirmed,
    note_carried_out,
    note_read_back,
    organization_of,
    save_draft,
)
from .history import Changed
from .services_said import WHICH_SERVICE
from .times_said import exact_start, offer_times, say_obstacle, wish_of

Action = DraftAppointment.Action
READ_BACK_AGAIN = "Let me repeat the appointment to you again."
NO_NUMBER = "I cannot see the number that you call from. A person can look the appointment up for you."
NONE_FOUND = "I find no appointment for the number that you call from."


@dataclass(frozen=True, slots=True)
class Outcome:
    """`appointment` is None when nothing was done; `say` is the sentence either way."""

    say: str
    appointment: Appointment | None = None
    is_asked: bool = False


def book_draft(call: Call, *, caller_turns: int, now: dt.datetime) -> tuple[Outcome, DraftView]:
    """Book the draft's version, once: repeated, it answers with the same appointment.

    Inside the caller's transaction, if there is one, it is committed with it: say so only after that.
    """
    organization = organization_of(call)
    with transaction.atomic():
        draft = lock_draft(call)
        view = DraftView(organization, draft, draft.service, now)
        if draft.action == Action.BOOK and _is_done(draft):
            return Outcome(_confirmation(draft, organization, now), draft.appointment), view
        if draft.action != Action.BOOK or view.missing:
            return Outcome(view.missing[0] if view.missing else WHICH_SERVICE), view
        refusal = not_confirmed(draft, caller_turns)
        if refusal:
            return Outcome(refusal), view
        check_bookable(organization, call, draft, now)
        service, start = draft.service, draft.starts_at
        assert service is not None
        assert start is not None
        if (service.price, service.duration_minutes) != (draft.price, draft.duration_minutes):
            save_draft(draft, now, price=service.price, duration_minutes=service.duration_minutes)
            draft.price, draft.duration_minutes = service.price, service.duration_minutes
            return Outcome(READ_BACK_AGAIN), view
        customer = Customer(draft.customer_name, draft.customer_number, draft.vehicle, draft.note)
        try:
            appointment = book_appointment(
                service, start, customer, Origin(call, draft.version, draft.said_turn), now=now
            )
        except NotPossible as exc:
            save_draft(draft, now, starts_at=None)
            draft.starts_at = None
            return Outcome(_others(exc, organization, start, now)), view
        note_carried_out(draft, appointment, now)
    return Outcome(_confirmation(draft, organization, now), appointment), view


def ask_or_move(call: Call, number: int, time: str, *, caller_turns: int, now: dt.datetime) -> Outcome:
    """Request the caller's consent, then move the appointment once the caller has answered. Raises Refused."""
    organization = organization_of(call)
    with transaction.atomic():
        draft = lock_draft(call)
        appointment = find_own(call, number, now)
        if appointment.service is None:
            raise Refused("That service is no longer offered. A person can help you with this appointment.")
        start = exact_start(organization, appointment.service, time, now, without=appointment)
        if start == appointment.starts_at:
            if draft.action == Action.MOVE and _is_done(draft) and draft.appointment == appointment:
                return Outcome(_confirmation(draft, organization, now), appointment)
            raise Refused(f"The appointment is on {_start(appointment, organization, now)} already.")
        if _is_to_ask(draft, Action.MOVE, appointment, start, caller_turns, now):
            return Outcome(_question(draft, organization, now), is_asked=True)
        try:
            move_appointment(appointment, start, Origin(call), now=now)
        except NotPossible as exc:
            return Outcome(_others(exc, organization, start, now))
        except Changed as exc:
            raise ConcurrentUpdate from exc
        note_carried_out(draft, appointment, now)
    return Outcome(_confirmation(draft, organization, now), appointment)


def ask_or_cancel(call: Call, number: int, reason: str, *, caller_turns: int, now: dt.datetime) -> Outcome:
    """Request the caller's consent, then cancel the appointment once the caller has answered. Raises Refused."""
    organization = organization_of(call)
    with transaction.atomic():
        draft = lock_draft(call)
        done = draft.appointment if draft.action == Action.CANCEL and _is_done(draft) else None
        if done is not None and done.number == number:
            return Outcome(_confirmation(draft, organization, now), done)
        appointment = find_own(call, number, now)
        if _is_to_ask(draft, Action.CANCEL, appointment, appointment.starts_at, caller_turns, now):
            return Outcome(_question(draft, organization, now), is_asked=True)
        try:
            cancel_appointment(appointment, Origin(call), reason=reason)
        except Changed as exc:
            raise ConcurrentUpdate from exc
        note_carried_out(draft, appointment, now)
    return Outcome(_confirmation(draft, organization, now), appointment)


def _is_to_ask(
    draft: DraftAppointment,
    action: Action,
    appointment: Appointment,
    start: dt.datetime,
    caller_turns: int,
    now: dt.datetime,
) -> bool:
    """Put it into the draft; whether the caller has yet to answer the question about this very version."""
    wanted = (action, appointment.pk, start)
    if (draft.action, draft.appointment_id, draft.starts_at) != wanted or _is_done(draft):
        save_draft(draft, now, action=action, appointment=appointment, starts_at=start)
        draft.action, draft.appointment, draft.starts_at = action, appointment, start
    refusal = not_confirmed(draft, caller_turns)
    if refusal == READ_BACK_FIRST:
        note_read_back(draft, caller_turns, now)
    return bool(refusal)


def own_appointments(call: Call, now: dt.datetime) -> Sequence[Appointment]:
    """Those of the number that calls; raises Refused where it is withheld."""
    number = caller_of(call)
    if not number:
        raise Refused(NO_NUMBER)
    return list(upcoming_of(organization_of(call), number, now)[:10])


def find_own(call: Call, number: int, now: dt.datetime) -> Appointment:
    """The caller's upcoming appointment of that number: one of anybody else does not exist here. Raises Refused."""
    own = own_appointments(call, now)
    found = next((each for each in own if each.number == number), None)
    if found is None:
        raise Refused(say_own(own, organization_of(call), now))
    return found


def say_own(own: Sequence[Appointment], organization: Organization, now: dt.datetime) -> str:
    """“You have Oil change on Friday, December 4 at 9 am.”"""
    if not own:
        return NONE_FOUND
    said = [f"{each.service_name} on {_start(each, organization, now)}" for each in own[:3]]
    return f"You have {', and '.join(said)}."


def _is_done(draft: DraftAppointment) -> bool:
    return draft.carried_out_version == draft.version and draft.appointment is not None


def _question(draft: DraftAppointment, organization: Organization, now: dt.datetime) -> str:
    assert draft.appointment is not None
    assert draft.starts_at is not None
    what = f"{draft.appointment.service_name} on {_start(draft.appointment, organization, now)}"
    if draft.action == Action.CANCEL:
        return f"I cancel {what}. Is that right?"
    return f"I move {what} to {say_start(draft.starts_at, now, organization.zone)}. Is that right?"


def _confirmation(draft: DraftAppointment, organization: Organization, now: dt.datetime) -> str:
    """What the caller hears of what was committed; always the same for the same version."""
    appointment = draft.appointment
    assert appointment is not None
    start = say_start(draft.starts_at or appointment.starts_at, now, organization.zone)
    if draft.action == Action.CANCEL:
        return f"{appointment.service_name} on {start} is canceled."
    done = "is booked for" if draft.action == Action.BOOK else "is moved to"
    return f"{appointment.service_name} {done} {start}. The appointment number is {appointment.number}."


def _others(exc: NotPossible, organization: Organization, start: dt.datetime, now: dt.datetime) -> str:
    """The obstacle, and what is free near that time now."""
    service = exc.calendar.service
    wish = wish_of(organization, f"{start.astimezone(organization.zone):%Y-%m-%d %H:%M}", now)
    offered = offer_times(organization, service, wish, now)
    if offered.suits:  # freed in this second
        return offered.say
    return offered.say if offered.starts else say_obstacle(exc.obstacle, start, exc.calendar)


def _start(appointment: Appointment, organization: Organization, now: dt.datetime) -> str:
    return say_start(appointment.starts_at, now, organization.zone)

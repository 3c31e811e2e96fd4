"""The draft of a call's appointment: its row is locked while it is looked at, and rises by a version with every change.

What is carried out is the version that was read back, after a caller's turn (as orders are, sessions/orders/services).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from agents.catalog.models import Service
from agents.catalog.offers import say_duration, say_price
from agents.organizations.models import Organization
from sessions.appointments.models import Appointment, DraftAppointment
from sessions.appointments.queries import upcoming_of
from sessions.appointments.wording import say_start, written
from sessions.calls.models import Call, Direction
from sessions.orders.draft import Refused
from voiceapp.core.phones.numbers import read_caller, read_number
from voiceapp.core.transactions import ConcurrentUpdate

from .services_said import WHICH_SERVICE, find_service
from .times_said import WHEN, exact_start

WHAT_NAME = "What is your name?"
WHAT_NUMBER = "At what number can we reach you?"
READ_BACK_FIRST = "Let me repeat the appointment to you first."
WAIT_FOR_ANSWER = "Please tell me first whether that is right."
# More at a time are made by a person: no customer books a week out by phone.
MOST_UPCOMING = 5
TOO_MANY = "You have several appointments already. For more of them I will connect you to a person."


@dataclass(frozen=True, slots=True)
class Choice:
    """What the caller has chosen; empty is what was not said. `service` and `time` are words."""

    service: str = ""
    time: str = ""
    customer_name: str = ""
    customer_number: str = ""
    vehicle: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DraftView:
    """A version of a draft, ready to be shown and said."""

    organization: Organization
    draft: DraftAppointment
    service: Service | None
    now: dt.datetime

    @property
    def missing(self) -> tuple[str, ...]:
        """The questions that are left before it can be read back."""
        draft = self.draft
        needed = (
            (self.service, WHICH_SERVICE),
            (draft.starts_at, WHEN),
            (draft.customer_name, WHAT_NAME),
            (draft.customer_number, WHAT_NUMBER),
        )
        return tuple(question for value, question in needed if not value)

    def shown(self) -> dict[str, object]:
        """The `draft` of a tool's output."""
        draft, zone = self.draft, self.organization.zone
        return {
            "version": draft.version,
            "service": self.service.name if self.service else "",
            "time": written(draft.starts_at, zone) if draft.starts_at else "",
            "customer_name": draft.customer_name,
            "customer_number": draft.customer_number,
            "vehicle": draft.vehicle,
            "note": draft.note,
            "price": "" if draft.price is None else f"{draft.price:.2f}",
            "missing": list(self.missing),
        }

    def said(self) -> str:
        """What is chosen, and the next question."""
        what = self.service.name if self.service else "An appointment"
        when = f" on {self._start}" if self.draft.starts_at else ""
        return f"{what}{when}. {self.missing[0] if self.missing else 'Shall I repeat it all?'}"

    def read_back(self) -> str:
        """What the caller must hear before it is booked."""
        draft = self.draft
        assert self.service is not None
        assert draft.duration_minutes is not None
        vehicle = f", with the {draft.vehicle}" if draft.vehicle else ""
        note = f", with the note {draft.note}" if draft.note else ""
        price = f" and costs {say_price(draft.price, self.organization.currency)}" if draft.price is not None else ""
        return (
            f"I have {self.service.name} on {self._start} for {draft.customer_name}{vehicle}{note}. "
            f"It takes {say_duration(draft.duration_minutes)}{price}. Is that right?"
        )

    @property
    def _start(self) -> str:
        return say_start(self.draft.starts_at, self.now, self.organization.zone) if self.draft.starts_at else ""


def choose(call: Call, choice: Choice, *, now: dt.datetime, caller_turns: int | None = None) -> DraftView:
    """Put what was chosen into the call's draft, all or nothing; raises Refused."""
    organization = organization_of(call)
    with transaction.atomic():
        draft = lock_draft(call)
        if draft.action != DraftAppointment.Action.BOOK or draft.carried_out_version == draft.version:
            _begin_anew(draft)
        before = _values(draft)
        service = find_service(organization, choice.service) if choice.service else draft.service
        _choose_service(draft, service)
        if choice.time:
            if service is None:
                raise Refused(WHICH_SERVICE)
            draft.starts_at = exact_start(organization, service, choice.time, now)
            draft.said_turn = caller_turns
        draft.customer_number = _number_of(organization, call, choice.customer_number or draft.customer_number)
        draft.customer_name = choice.customer_name or draft.customer_name
        draft.vehicle = choice.vehicle or draft.vehicle
        draft.note = choice.note or draft.note
        if _values(draft) != before:
            save_draft(draft, now, **_values(draft), said_turn=draft.said_turn)
    return DraftView(organization, draft, draft.service, now)


def read_back(call: Call, *, caller_turns: int, now: dt.datetime) -> DraftView:
    """Check the draft anew and note that this version is being read back at this turn; raises Refused."""
    organization = organization_of(call)
    with transaction.atomic():
        draft = lock_draft(call)
        if draft.action != DraftAppointment.Action.BOOK or draft.carried_out_version == draft.version:
            raise Refused(WHICH_SERVICE)
        view = DraftView(organization, draft, draft.service, now)
        if view.missing:
            raise Refused(view.missing[0])
        check_bookable(organization, call, draft, now)
        assert draft.service is not None
        assert draft.starts_at is not None
        exact_start(organization, draft.service, written(draft.starts_at, organization.zone), now)
        before = _values(draft)
        _choose_service(draft, draft.service)
        if _values(draft) != before:
            save_draft(draft, now, **_values(draft))
        note_read_back(draft, caller_turns, now)
    return DraftView(organization, draft, draft.service, now)


def organization_of(call: Call) -> Organization:
    """The call's organization as it is now."""
    assert call.organization_id is not None
    return Organization.objects.get(pk=call.organization_id)


def caller_of(call: Call) -> str:
    """The customer's number, as E.164; empty if it is withheld. It is the one that calls, or that we called."""
    is_ours = call.direction == Direction.OUTBOUND
    return read_caller(call.dialed_number if is_ours else call.caller_number).number


def lock_draft(call: Call) -> DraftAppointment:
    """The draft's row, locked until the transaction ends."""
    DraftAppointment.objects.get_or_create(call=call)
    return (
        DraftAppointment.objects.select_for_update(of=("self",)).select_related("service", "appointment").get(call=call)
    )


def save_draft(draft: DraftAppointment, now: dt.datetime, **values: object) -> None:
    """Write the next version, which has not been read back."""
    _move(draft, now, version=F("version") + 1, read_back_version=None, read_back_turn=None, **values)
    draft.version += 1
    draft.read_back_version = draft.read_back_turn = None


def note_read_back(draft: DraftAppointment, caller_turns: int, now: dt.datetime) -> None:
    _move(draft, now, read_back_version=draft.version, read_back_turn=caller_turns)
    draft.read_back_version, draft.read_back_turn = draft.version, caller_turns


def note_carried_out(draft: DraftAppointment, appointment: Appointment, now: dt.datetime) -> None:
    _move(draft, now, carried_out_version=draft.version, appointment=appointment)
    draft.carried_out_version, draft.appointment = draft.version, appointment


def not_confirmed(draft: DraftAppointment, caller_turns: int) -> str:
    """Why it is not carried out yet: this version must have been read back, and the caller have spoken since."""
    if draft.read_back_version != draft.version or draft.read_back_turn is None:
        return READ_BACK_FIRST
    return WAIT_FOR_ANSWER if caller_turns <= draft.read_back_turn else ""


def check_bookable(organization: Organization, call: Call, draft: DraftAppointment, now: dt.datetime) -> None:
    """Raises Refused for a service that is no longer offered, and for a customer who has many appointments already."""
    if draft.service is not None and not draft.service.is_active:
        raise Refused(f"{draft.service.name} is no longer offered. {WHICH_SERVICE}")
    for number in {draft.customer_number, caller_of(call)} - {""}:
        if upcoming_of(organization, number, now).count() >= MOST_UPCOMING:
            raise Refused(TOO_MANY)


def _begin_anew(draft: DraftAppointment) -> None:
    """After something was carried out, another one begins: the customer stays the same."""
    draft.action = DraftAppointment.Action.BOOK
    draft.appointment = draft.service = draft.starts_at = draft.price = draft.duration_minutes = None
    draft.said_turn = None
    draft.vehicle = draft.note = ""


def _choose_service(draft: DraftAppointment, service: Service | None) -> None:
    """A time was chosen for one service; for another one it is chosen again."""
    if service is not None and draft.service_id not in (None, service.pk):
        draft.starts_at = None
    draft.service = service
    draft.price = service.price if service else None
    draft.duration_minutes = service.duration_minutes if service else None


def _number_of(organization: Organization, call: Call, said: str) -> str:
    """E.164 of the number that was said, or of the one that calls."""
    if not said:
        return caller_of(call)
    try:
        return read_number(said, region=organization.region)
    except ValidationError as exc:
        raise Refused("That is not a whole phone number. Could you say it again, with the area code?") from exc


def _values(draft: DraftAppointment) -> dict[str, object]:
    """What makes a version."""
    return {
        "action": draft.action,
        "appointment_id": draft.appointment_id,
        "service_id": draft.service_id,
        "starts_at": draft.starts_at,
        "price": draft.price,
        "duration_minutes": draft.duration_minutes,
        "customer_name": draft.customer_name,
        "customer_number": draft.customer_number,
        "vehicle": draft.vehicle,
        "note": draft.note,
    }


def _move(draft: DraftAppointment, now: dt.datetime, **values: object) -> None:
    """A guarded update: no concurrent change is overwritten, also on a database without row locks."""
    if not DraftAppointment.objects.filter(pk=draft.pk, version=draft.version).update(updated_at=now, **values):
        raise ConcurrentUpdate

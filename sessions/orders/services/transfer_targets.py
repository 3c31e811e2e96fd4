"""The people a caller may be handed to, and the orders that are theirs to take."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.utils.text import slugify

from agents.hours.queries import load_schedule, target_hours_sentence, target_schedule
from agents.hours.schedule import Schedule
from agents.organizations.models import Organization
from agents.transfers.models import TransferTarget
from agents.transfers.numbers import why_not_called
from sessions.calls.models import Call, CallKind
from sessions.orders.draft import Refused
from sessions.orders.draft.names import either
from voiceapp.core.phones.numbers import read_caller, show_number

from .drafts import DraftView

logger = structlog.get_logger("transfers")


@dataclass(frozen=True, slots=True)
class Person:
    """A transfer target at a given time; `absence` says when an absent person is back."""

    slug: str
    name: str
    when_to_use: str
    is_fallback: bool
    is_there: bool
    absence: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """A sentence, and the target that takes over; empty when nobody is there."""

    say: str
    target: str


def people_of(organization: Organization, *, now: dt.datetime, schedule: Schedule | None = None) -> list[Person]:
    """Every transfer target in the organization's order, then the departments of several.

    `schedule`: the organization's, where it has been read already.
    """
    schedule = schedule or load_schedule(organization)
    targets = list(organization.transfer_targets.prefetch_related("hours"))
    people = [_person(target, target_schedule(target, schedule), now) for target in targets]
    return people + _departments(targets, people)


def _departments(targets: Sequence[TransferTarget], people: Sequence[Person]) -> list[Person]:
    """A department is there while one of its people is. One person alone is no department."""
    members: dict[str, list[Person]] = {}
    for target, person in zip(targets, people, strict=True):
        if target.department_slug:
            members.setdefault(target.department, []).append(person)
    taken = {person.slug for person in people}
    return [
        Person(
            slug=slug,
            name=name,
            when_to_use=next((person.when_to_use for person in group if person.when_to_use), ""),
            is_fallback=False,
            is_there=any(person.is_there for person in group),
            absence=f"Nobody of {name} is there now.",
        )
        for name, group in members.items()
        if len(group) > 1 and (slug := slugify(name)) not in taken
    ]


def can_transfer(call: Call) -> bool:
    """A browser's call has no carrier that could ring a person."""
    return call.kind != CallKind.BROWSER


def ring_instead(organization: Organization) -> str:
    """What a caller hears who wants a person and cannot be transferred."""
    number = organization.phone_numbers.filter(is_active=True).values_list("number", flat=True).first()
    instead = f"Please ring {show_number(number)}." if number else "Please ring us by phone."
    return f"I cannot connect you to a person, because this call comes from a browser. {instead}"


def find_person(call: Call, slug: str, *, now: dt.datetime) -> Person:
    """The target of that slug; raises Refused with the names there are."""
    assert call.organization is not None
    if not can_transfer(call):
        raise Refused(ring_instead(call.organization))
    people = people_of(call.organization, now=now)
    person = next((person for person in people if person.slug == slug), None)
    if person is None:
        names = either([person.name for person in people if person.is_there])
        raise Refused(f"I can connect you to {names}." if names else "There is nobody here whom I can connect you to.")
    return person


def target_to_call(call: Call, slug: str, *, now: dt.datetime) -> TransferTarget | None:
    """The target of that slug, or the first of the department, who is there and whose number may be called."""
    if call.organization is None:
        return None
    targets = TransferTarget.objects.filter(organization=call.organization).select_related("organization")
    schedule, caller = load_schedule(call.organization), read_caller(call.caller_number).number
    for target in targets.prefetch_related("hours"):
        is_wanted = bool(slug) and slug in (target.slug, target.department_slug)
        if is_wanted and target_schedule(target, schedule).is_open_at(now):
            why = why_not_called(target.number, call.organization, caller=caller)
            if why is None:
                return target
            logger.warning("person not called", call_id=str(call.pk), target=target.slug, reason=why)
    return None


def too_large(view: DraftView, call: Call | None, *, now: dt.datetime) -> HandOver | None:
    """Who takes an order over the organization's largest total; None for an order of an ordinary size."""
    if view.totals.total <= view.organization.largest_order_total:
        return None
    if call is not None and not can_transfer(call):
        return HandOver(f"An order of this size is taken by a person. {ring_instead(view.organization)}", "")
    person = _first_there(people_of(view.organization, now=now))
    if person is None:
        return HandOver("An order of this size is taken by a person, and nobody is here now. Please call again.", "")
    return HandOver(f"An order of this size is taken by a person. I will connect you to {person.name}.", person.slug)


def _first_there(people: Sequence[Person]) -> Person | None:
    there = [person for person in people if person.is_there]
    return next((person for person in there if person.is_fallback), there[0] if there else None)


def _person(target: TransferTarget, schedule: Schedule, now: dt.datetime) -> Person:
    is_there = schedule.is_open_at(now)
    return Person(
        slug=target.slug,
        name=target.name,
        when_to_use=target.when_to_use,
        is_fallback=target.is_fallback,
        is_there=is_there,
        absence="" if is_there else target_hours_sentence(target, schedule, now),
    )

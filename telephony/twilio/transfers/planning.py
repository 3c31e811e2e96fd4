"""Whom a transfer calls, and in which order: decided when the agent's part of the call is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from agents.hours.queries import load_schedule, target_schedule
from agents.transfers.models import CallerId, IfNobody, TransferMode, TransferTarget
from agents.transfers.numbers import NotCalled, why_not_called
from sessions.calls.models import Call
from telephony.twilio.models import MediaStream
from voiceapp.core.phones.numbers import CallerKind, read_caller

from .models import AttemptState, Transfer, TransferAttempt, TransferState
from .summary import summary_of

# A caller who is transferred again and again is offered a message.
MOST_TRANSFERS_PER_CALL = 4


@dataclass(frozen=True, slots=True)
class Department:
    """A target, or several that are called one after the other. `people` are those who may be called now.

    `refused` are the names of those who are there and whose number is not called, with the reason.
    """

    name: str
    mode: TransferMode
    if_nobody: IfNobody
    people: Sequence[TransferTarget]
    refused: Sequence[tuple[str, NotCalled]] = ()


def find_department(call: Call, slug: str, now: dt.datetime) -> Department | None:
    """The target of that slug with the others of its department, or the department of that slug. None: unknown."""
    targets = list(_targets(call))
    wanted = next((target for target in targets if target.slug == slug), None)
    department = wanted.department if wanted else _department_of_slug(targets, slug)
    if not slug or (wanted is None and not department):
        return None
    members = [target for target in targets if department and target.department == department]
    first = wanted or members[0]
    ordered = [first, *(member for member in members if member != first)] if wanted else members
    caller = read_caller(call.caller_number).number
    schedule = load_schedule(first.organization)
    there = [target for target in ordered if target_schedule(target, schedule).is_open_at(now)]
    why = {target.pk: why_not_called(target.number, target.organization, caller=caller) for target in there}
    return Department(
        name=wanted.name if wanted else department,
        mode=TransferMode(first.mode),
        if_nobody=IfNobody(first.if_nobody),
        people=[target for target in there if why[target.pk] is None],
        refused=[(target.name, reason) for target in there if (reason := why[target.pk]) is not None],
    )


def _targets(call: Call) -> QuerySet[TransferTarget]:
    targets = TransferTarget.objects.filter(organization=call.organization)
    return targets.select_related("organization").prefetch_related("hours")


def _department_of_slug(targets: Sequence[TransferTarget], slug: str) -> str:
    return next((target.department for target in targets if slug and target.department_slug == slug), "")


def plan_transfer(
    call: Call, stream: MediaStream, department: Department, *, slug: str, mode: TransferMode, language: str
) -> Transfer:
    """The rows of a transfer. Its first call is placed by the carrier (cold) or by a task (warm)."""
    transfer = Transfer.objects.create(
        call=call,
        stream=stream,
        wanted=slug,
        name=department.name,
        mode=mode,
        if_nobody=department.if_nobody,
        state=TransferState.WAITING if department.people else TransferState.NOBODY,
        summary=summary_of(call, language=language) if mode is TransferMode.WARM else "",
    )
    TransferAttempt.objects.bulk_create(_attempts(transfer, call, stream, department.people))
    return transfer


def _attempts(
    transfer: Transfer, call: Call, stream: MediaStream, people: Sequence[TransferTarget]
) -> Iterator[TransferAttempt]:
    position = 0
    for target in people:
        caller_ids = _caller_ids(target, call, stream, TransferMode(transfer.mode))
        for caller_id in caller_ids:
            yield TransferAttempt(
                transfer=transfer,
                position=position,
                slug=target.slug,
                name=target.name,
                number=target.number,
                caller_id=caller_id,
                is_second_try=caller_id != caller_ids[0],
                state=AttemptState.PLANNED,
            )
            position += 1


def _caller_ids(target: TransferTarget, call: Call, stream: MediaStream, mode: TransferMode) -> list[CallerId]:
    """The caller's own number first, if wanted and possible: `<Dial>` shows it, a call by REST needs a token for it."""
    has_number = read_caller(call.caller_number).kind is CallerKind.NUMBER
    may_show = has_number and (mode is TransferMode.COLD or bool(stream.call_token))
    if target.caller_id == CallerId.CALLER and may_show:
        return [CallerId.CALLER, CallerId.ORGANIZATION]
    return [CallerId.ORGANIZATION]

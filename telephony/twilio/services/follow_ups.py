"""What follows a media stream: hang up, transfer, return to the agent or take a message. Decided once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from agents.transfers.models import IfNobody, TransferMode, TransferTarget
from sessions.calls.end_reasons import EndReason
from sessions.calls.feeds import announce_calls
from sessions.calls.models import Call, CallState
from sessions.calls.persons_called import TOO_MANY_TODAY, are_too_many
from sessions.calls.services import finish_call, record_event
from telephony.twilio.models import FollowUp, MediaStream, Step
from telephony.twilio.transfers import progress
from telephony.twilio.transfers.caller_ids import caller_id_for
from telephony.twilio.transfers.documents import language_of
from telephony.twilio.transfers.models import Transfer
from telephony.twilio.transfers.planning import (
    MOST_TRANSFERS_PER_CALL,
    Department,
    find_department,
    plan_transfer,
)
from voiceapp.core.phones.numbers import is_dialable


@dataclass(frozen=True, slots=True)
class NextStep:
    """The decision, and whom to ring first. `why`: why a target that should ring does not."""

    step: Step
    target: TransferTarget | None = None
    why: str = ""
    department: Department | None = None


def set_follow_up(stream_id: UUID, follow_up: FollowUp, hand_over_to: str = "") -> bool:
    """Say what follows the stream, before its socket is closed. The first word stands: False if there was one."""
    return bool(
        MediaStream.objects.filter(id=stream_id, follow_up=FollowUp.NOTHING).update(
            follow_up=follow_up, hand_over_to=hand_over_to[:40]
        )
    )


def stream_ended(call_id: UUID, reason: EndReason) -> bool:
    """The agent's part of a call is over, and with it the call, unless its transfer may bring the caller back.

    Then no process carries it: the transfer ends it, or the agent again.
    """
    if reason is not EndReason.TRANSFERRED or not _may_come_back(call_id):
        return finish_call(call_id, reason=reason)
    Call.objects.live().filter(pk=call_id).update(process="")
    return True


def _may_come_back(call_id: UUID) -> bool:
    """A warm transfer begins before anybody has taken it, and a cold one may return the caller to the agent."""
    call = Call.objects.select_related("organization").get(pk=call_id)
    stream = MediaStream.objects.latest_of(call)
    if stream is None or stream.follow_up != FollowUp.HAND_OVER:
        return False
    if stream.next_step:  # the carrier was faster than we
        begun = Transfer.objects.filter(stream=stream)
        return begun.filter(Q(mode=TransferMode.WARM) | Q(if_nobody=IfNobody.AGENT)).exists()
    department = find_department(call, stream.hand_over_to, timezone.now())
    return department is not None and (department.mode is TransferMode.WARM or department.if_nobody is IfNobody.AGENT)


def follow_up_of(call: Call, *, stream_id: UUID | None = None, is_caller_gone: bool = False) -> NextStep:
    """What follows now that the stream is over. Decided once: a repeated or late request gets the same.

    `stream_id` names a later stream than the call's first. `is_caller_gone`: the carrier reports that the caller left.
    """
    stream = _stream_of(call, stream_id)
    if stream is None:
        return NextStep(Step.HANG_UP)  # it was refused
    if not stream.next_step:
        with transaction.atomic():
            decision = _decide(call, stream, timezone.now(), is_caller_gone)
            slug = decision.target.slug if decision.target else ""
            undecided = MediaStream.objects.filter(pk=stream.pk, next_step="")
            if undecided.update(next_step=decision.step, next_target=slug):
                _record(call, stream, decision, is_caller_gone)
                return decision
        stream.refresh_from_db(fields=["next_step", "next_target"])
    return _decided(call, stream)


def _stream_of(call: Call, stream_id: UUID | None) -> MediaStream | None:
    streams = MediaStream.objects.filter(call=call)
    if stream_id is None:
        return streams.filter(is_return=False).first()
    return streams.filter(pk=stream_id).first()


def _decided(call: Call, stream: MediaStream) -> NextStep:
    """The stored decision; a message is taken where its target has changed since and can no longer be rung."""
    if not stream.next_target:
        return NextStep(Step(stream.next_step))
    target = TransferTarget.objects.filter(organization=call.organization, slug=stream.next_target).first()
    if target is None or not is_dialable(target.number):
        return NextStep(Step.TAKE_MESSAGE)
    return NextStep(Step(stream.next_step), target)


def _decide(call: Call, stream: MediaStream, now: dt.datetime, is_caller_gone: bool) -> NextStep:
    wish = FollowUp(stream.follow_up)
    is_over = wish is FollowUp.NOTHING and call.state in (CallState.COMPLETED, CallState.MISSED)
    if is_caller_gone or is_over or wish is FollowUp.HANG_UP:
        return NextStep(Step.HANG_UP)
    if wish is FollowUp.HAND_OVER:
        return _transfer(call, find_department(call, stream.hand_over_to, now))
    # Nothing was written: the process that carried the call is gone, or the stream never came.
    fallback = TransferTarget.objects.filter(organization=call.organization, is_fallback=True).first()
    department = find_department(call, fallback.slug, now) if fallback else None
    if department is None or not department.people:
        return NextStep(Step.APOLOGIZE_AND_TAKE_MESSAGE, department=department)
    if why := _why_not_at_all(call):
        return NextStep(Step.APOLOGIZE_AND_TAKE_MESSAGE, why=why, department=department)
    return NextStep(Step.APOLOGIZE_AND_DIAL, department.people[0], department=department)


def _why_not_at_all(call: Call) -> str:
    """Why no person can be called for this caller, of any department."""
    if not caller_id_for(call):
        return "no_caller_id"  # without a number that may be shown the carrier refuses to ring anybody
    return TOO_MANY_TODAY if call.organization is not None and are_too_many(call.organization) else ""


def _transfer(call: Call, department: Department | None) -> NextStep:
    if department is None or call.transfers.count() >= MOST_TRANSFERS_PER_CALL:
        return NextStep(Step.TAKE_MESSAGE)
    returns = department.if_nobody is IfNobody.AGENT and call.is_live
    otherwise = Step.BACK_TO_AGENT if returns else Step.TAKE_MESSAGE
    if not department.people:
        return NextStep(otherwise, department=department)
    if why := _why_not_at_all(call):
        return NextStep(otherwise, why=why, department=department)
    is_warm = department.mode is TransferMode.WARM and call.is_live
    return NextStep(Step.HOLD if is_warm else Step.DIAL, department.people[0], department=department)


def _record(call: Call, stream: MediaStream, decision: NextStep, is_caller_gone: bool) -> None:
    """Write what happens to the timeline, begin the transfer, and end a call that nothing else will end."""
    MediaStream.objects.filter(pk=stream.pk, ended_at=None).update(ended_at=timezone.now())
    detail = {"next": decision.step.value, "target": decision.target.slug if decision.target else ""}
    record_event(call.id, "stream_over", detail | ({"why": decision.why} if decision.why else {}))
    if decision.target is not None:
        Call.objects.filter(id=call.id).update(transferred_to=decision.target.name)
    for name, why in decision.department.refused if decision.department else ():
        record_event(call.id, "transfer_number_refused", {"target": name, "why": why.value})
    announce_calls(call.organization_id, call.id)
    _begin_transfer(call, stream, decision)
    if not MediaStream.objects.filter(pk=stream.pk).exclude(follow_up=FollowUp.NOTHING).exists():
        finish_call(call.id, reason=EndReason.CALLER_HUNG_UP if is_caller_gone else EndReason.STREAM_LOST)
    elif is_caller_gone and stream.follow_up == FollowUp.HAND_OVER:
        finish_call(call.id, reason=EndReason.CALLER_HUNG_UP)
    elif decision.step is Step.TAKE_MESSAGE:
        finish_call(call.id, reason=EndReason.NOBODY_THERE)


def _begin_transfer(call: Call, stream: MediaStream, decision: NextStep) -> None:
    department, step = decision.department, decision.step
    if department is None or step in (Step.TAKE_MESSAGE, Step.APOLOGIZE_AND_TAKE_MESSAGE):
        return
    transfer = plan_transfer(
        call,
        stream,
        department if decision.target is not None else replace(department, people=()),
        slug=stream.hand_over_to or (decision.target.slug if decision.target else ""),
        mode=TransferMode.WARM if step is Step.HOLD else TransferMode.COLD,
        language=language_of(call),
    )
    if step is Step.HOLD:
        Call.objects.live().filter(pk=call.pk).update(process="")
        progress.wake_up_on_commit(transfer)
    elif (first := transfer.attempts.first()) is not None:
        progress.begin_attempt(first)

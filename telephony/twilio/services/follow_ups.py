"""Which number a transfer shows. Twilio takes the number that was called, one of the account's, or the caller's own:

never `sip:…` or `client:…`, and a caller who comes so has no number that could be shown by itself (error 13214).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from agents.hours.queries import load_schedule, target_schedule
from agents.transfers.models import TransferTarget
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallState
from sessions.calls.services import finish_call, record_event
from telephony.twilio.models import FollowUp, MediaStream, PhoneNumber, Step
from voiceapp.core.phones.numbers import CallerKind, is_dialable, read_caller


def caller_id_for(call: Call) -> str:
    """E.164; empty where there is none that Twilio would take."""
    if read_caller(call.dialed_number).kind is CallerKind.NUMBER:
        return call.dialed_number
    line = PhoneNumber.objects.filter(organization=call.organization_id, is_active=True).first()
    if line is not None and read_caller(line.number).kind is CallerKind.NUMBER:
        return line.number
    is_number = read_caller(call.caller_number).kind is CallerKind.NUMBER
    return call.caller_number if is_number else ""


@dataclass(frozen=True, slots=True)
class NextStep:
    """The decision, and whom to ring. `why`: why a target that should ring does not."""

    step: Step
    target: TransferTarget | None = None
    why: str = ""


def set_follow_up(stream_id: UUID, follow_up: FollowUp, hand_over_to: str = "") -> bool:
    """Say what follows the stream, before its socket is closed. The first word stands: False if there was one."""
    return bool(
        MediaStream.objects.filter(id=stream_id, follow_up=FollowUp.NOTHING).update(
            follow_up=follow_up, hand_over_to=hand_over_to[:40]
        )
    )


def follow_up_of(call: Call, *, is_caller_gone: bool = False) -> NextStep:
    """What follows now that the stream is over. Decided once: a repeated or late request gets the same.

    `is_caller_gone`: the carrier reports that the caller has left.
    """
    stream = MediaStream.objects.filter(call=call).first()
    if stream is None:
        return NextStep(Step.HANG_UP)  # it was refused
    if not stream.next_step:
        decision = _decide(call, stream, timezone.now(), is_caller_gone)
        slug = decision.target.slug if decision.target else ""
        undecided = MediaStream.objects.filter(pk=stream.pk, next_step="")
        if undecided.update(next_step=decision.step, next_target=slug):
            _record(call, stream, decision, is_caller_gone)
            return decision
        stream.refresh_from_db(fields=["next_step", "next_target"])
    return _decided(call, stream)


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
    targets = TransferTarget.objects.filter(organization=call.organization)
    if wish is FollowUp.HAND_OVER:
        wanted = targets.filter(slug=stream.hand_over_to).first()
        return _ring(call, wanted, now, step=Step.DIAL, otherwise=Step.TAKE_MESSAGE)
    # Nothing was written: the process that carried the call is gone, or the stream never came.
    fallback = targets.filter(is_fallback=True).first()
    return _ring(call, fallback, now, step=Step.APOLOGIZE_AND_DIAL, otherwise=Step.APOLOGIZE_AND_TAKE_MESSAGE)


def _ring(call: Call, target: TransferTarget | None, now: dt.datetime, *, step: Step, otherwise: Step) -> NextStep:
    if target is None or not is_dialable(target.number):
        return NextStep(otherwise)
    if not target_schedule(target, load_schedule(target.organization)).is_open_at(now):
        return NextStep(otherwise)
    # Without a number that may be shown the carrier would refuse to ring anybody.
    return NextStep(step, target) if caller_id_for(call) else NextStep(otherwise, why="no_caller_id")


def _record(call: Call, stream: MediaStream, decision: NextStep, is_caller_gone: bool) -> None:
    """Write what happens to the timeline, and end a call that nothing else will end."""
    MediaStream.objects.filter(pk=stream.pk, ended_at=None).update(ended_at=timezone.now())
    detail = {"next": decision.step.value, "target": decision.target.slug if decision.target else ""}
    record_event(call.id, "stream_over", detail | ({"why": decision.why} if decision.why else {}))
    if decision.target is not None:
        Call.objects.filter(id=call.id).update(transferred_to=decision.target.name)
    if not MediaStream.objects.filter(pk=stream.pk).exclude(follow_up=FollowUp.NOTHING).exists():
        finish_call(call.id, reason=EndReason.CALLER_HUNG_UP if is_caller_gone else EndReason.STREAM_LOST)

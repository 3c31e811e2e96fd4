"""Which number a transfer shows. Twilio takes the number that was called, one of the account's, or the caller's own:

never `sip:…` or `client:…`, and a caller who comes so has no number that could be shown by itself (error 13214).
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from agents.hours.queries import load_schedule, target_schedule
from agents.transfers.models import TransferTarget
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallState
from sessions.calls.services import finish_call, record_event
from telephony.livekit.models import ProviderEvent
from telephony.twilio.models import FollowUp, MediaStream, PhoneNumber
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


class Step(enum.StrEnum):
    """What the caller gets next."""

    HANG_UP = "hang_up"
    DIAL = "dial"
    APOLOGIZE_AND_DIAL = "apologize_and_dial"
    TAKE_MESSAGE = "take_message"
    APOLOGIZE_AND_TAKE_MESSAGE = "apologize_and_take_message"


@dataclass(frozen=True, slots=True)
class NextStep:
    """The decision, and whom to ring."""

    step: Step
    target: TransferTarget | None = None


def set_follow_up(stream_id: UUID, follow_up: FollowUp, hand_over_to: str = "") -> bool:
    """Say what follows the stream, before its socket is closed. The first word stands: False if there was one."""
    return bool(
        MediaStream.objects.filter(id=stream_id, follow_up=FollowUp.NOTHING).update(
            follow_up=follow_up, hand_over_to=hand_over_to[:40]
        )
    )


def follow_up_of(call: Call, *, is_caller_gone: bool = False) -> NextStep:
    """What follows now that the stream is over. Decided once: a repeated or late request gets the same.

    `is_caller_gone` is the carrier's word that nobody is left to hear anything.
    """
    event, is_first = ProviderEvent.objects.get_or_create(
        source="twilio",
        dedup_key=f"{call.carrier_sid}:after",
        defaults={"kind": "stream.over", "call": call, "fields": _decide(call, timezone.now(), is_caller_gone)},
    )
    step = Step(event.fields["step"])
    slug = event.fields["target"]
    target = TransferTarget.objects.filter(organization=call.organization, slug=slug).first() if slug else None
    if target is not None and not is_dialable(target.number):
        target = None  # it was changed since
    if slug and target is None:
        step = Step.TAKE_MESSAGE
    if is_first:
        _keep(call, step, target, is_caller_gone, why=event.fields.get("why", ""))
    return NextStep(step, target)


def _decide(call: Call, now: dt.datetime, is_caller_gone: bool) -> dict[str, str]:
    stream = MediaStream.objects.filter(call=call).first()
    nothing_follows = {"step": Step.HANG_UP, "target": ""}
    if stream is None or is_caller_gone:
        return nothing_follows
    wish = FollowUp(stream.follow_up)
    is_over = wish is FollowUp.NOTHING and call.state in (CallState.COMPLETED, CallState.MISSED)
    if is_over or wish is FollowUp.HANG_UP:
        return nothing_follows
    targets = TransferTarget.objects.filter(organization=call.organization)
    if wish is FollowUp.HAND_OVER:
        wanted = targets.filter(slug=stream.hand_over_to).first()
        if wanted is not None and _may_be_rung(wanted, now):
            return _rung(call, Step.DIAL, wanted, instead=Step.TAKE_MESSAGE)
        return {"step": Step.TAKE_MESSAGE, "target": ""}
    # Nothing was written: the process that carried the call is gone, or the stream never came.
    fallback = targets.filter(is_fallback=True).first()
    if fallback is not None and _may_be_rung(fallback, now):
        return _rung(call, Step.APOLOGIZE_AND_DIAL, fallback, instead=Step.APOLOGIZE_AND_TAKE_MESSAGE)
    return {"step": Step.APOLOGIZE_AND_TAKE_MESSAGE, "target": ""}


def _rung(call: Call, step: Step, target: TransferTarget, *, instead: Step) -> dict[str, str]:
    """Without a number that may be shown the carrier would refuse to ring anybody."""
    if caller_id_for(call):
        return {"step": step, "target": target.slug}
    return {"step": instead, "target": "", "why": "no_caller_id"}


def _may_be_rung(target: TransferTarget, now: dt.datetime) -> bool:
    return is_dialable(target.number) and target_schedule(target, load_schedule(target.organization)).is_open_at(now)


def _keep(call: Call, step: Step, target: TransferTarget | None, is_caller_gone: bool, *, why: str) -> None:
    """Write down what happens, and end a call that nobody else will end."""
    MediaStream.objects.filter(call=call, ended_at=None).update(ended_at=timezone.now())
    detail = {"next": step.value, "target": target.slug if target else ""}
    record_event(call.id, "stream_over", detail | ({"why": why} if why else {}))
    if target is not None:
        Call.objects.filter(id=call.id).update(transferred_to=target.name)
    if not MediaStream.objects.filter(call=call).exclude(follow_up=FollowUp.NOTHING).exists():
        finish_call(call.id, reason=EndReason.CALLER_HUNG_UP if is_caller_gone else EndReason.STREAM_LOST)

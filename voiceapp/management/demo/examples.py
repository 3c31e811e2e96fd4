"""People of the demo, and transfers, voicemail and texts of its last hours, so that their pages are not empty."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from agents.organizations.models import Membership, Organization
from agents.organizations.roles import Role
from agents.transfers.models import CallerId, IfNobody, TransferMode
from sessions.analytics.changes import note_day_change
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallEvent, CallState, Direction
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import Text, TextState
from sessions.messages.texts.reasons import TextReason
from telephony.twilio.models import FollowUp, MediaStream, Step
from telephony.twilio.transfers.models import AttemptState, Transfer, TransferAttempt, TransferState
from telephony.twilio.voicemail.models import Voicemail

from .history import carrier_sid
from .organization import Demo

PEOPLE = (
    ("lucia.bianchi", "Lucia", "Bianchi", Role.OWNER),
    ("marco.rossi", "Marco", "Rossi", Role.MANAGER),
    ("elena.conti", "Elena", "Conti", Role.STAFF),
    ("paolo.greco", "Paolo", "Greco", Role.KITCHEN),
)
# Hours ago, why a message was taken, what was said, and who has heard it.
MESSAGES = (
    (2, Voicemail.Why.NOBODY_THERE, "Hi, this is Anna Weber. I left a blue scarf at table four. Please call me.", ""),
    (7, Voicemail.Why.NOBODY_THERE, "A table for twelve on Friday at seven, is that possible? Ben Fischer.", "demo"),
    (20, Voicemail.Why.PROVIDER_FAILED, "Good evening, do you have gluten-free pizza? Thank you.", "demo"),
)
# Hours ago, the target's slug, how the call was passed on, and what became of it.
TRANSFERS = (
    (1, "front-desk", TransferMode.WARM, TransferState.TALKED, AttemptState.ACCEPTED),
    (5, "catering", TransferMode.COLD, TransferState.TALKED, AttemptState.ACCEPTED),
    (9, "front-desk", TransferMode.WARM, TransferState.NOBODY, AttemptState.NO_ANSWER),
)
# Hours ago, the kind (none: from the customer), the text, its state, and why it did not arrive.
TEXTS = (
    (1, TextKind.ORDER_CONFIRMATION, "Order No. 7: 1 large Margherita. Total 13.50 EUR.", TextState.DELIVERED, ""),
    (1, "", "Thanks! Please ring at Weber, second floor.", TextState.RECEIVED, ""),
    (4, TextKind.ORDER_READY, "Your order No. 6 is ready. Total 22.00 EUR.", TextState.DELIVERED, ""),
    (8, TextKind.ORDER_CONFIRMATION, "Order No. 5: 2 Tiramisu. Total 10.00 EUR.", TextState.NOT_SENT,
     TextReason.LANDLINE),
    (12, TextKind.ORDER_CONFIRMATION, "Order No. 4: 1 Calzone. Total 9.50 EUR.", TextState.FAILED,
     TextReason.UNREACHABLE),
)  # fmt: skip
CUSTOMER = "+4930231255"
SENT = (TextState.DELIVERED, TextState.FAILED)


@transaction.atomic
def make_examples(demo: Demo) -> None:
    """A second run adds nothing. None of it is sent anywhere, and no person of it has a password."""
    for username, first_name, last_name, role in PEOPLE:
        make_person(demo.organization, username, first_name, last_name, role)
    if Transfer.objects.filter(call__organization=demo.organization).exists():
        return
    for number, (hours, why, said, heard_by) in enumerate(MESSAGES, 10):
        leave_message(past_call(demo, number, hours, EndReason.NOBODY_THERE), why, said, heard_by)
    for number, (hours, slug, mode, state, attempt) in enumerate(TRANSFERS, 20):
        is_taken = state == TransferState.TALKED
        call = past_call(demo, number, hours, EndReason.TRANSFERRED if is_taken else EndReason.NOBODY_THERE)
        transfer_call(call, slug, mode, state, attempt)
    for number, (hours, kind, body, text_state, reason) in enumerate(TEXTS):
        write_text(demo, number, hours, kind, body, text_state, reason)


def make_person(organization: Organization, username: str, first_name: str, last_name: str, role: Role) -> None:
    """Without a password, until an owner gives one."""
    user, is_new = User.objects.get_or_create(
        username=username, defaults={"first_name": first_name, "last_name": last_name, "is_staff": True}
    )
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        Membership.objects.create(organization=organization, user=user, role=role)


def past_call(demo: Demo, number: int, hours: int, reason: EndReason) -> Call:
    at = timezone.now() - dt.timedelta(hours=hours, minutes=number)
    call = Call.objects.create(
        organization=demo.organization,
        agent=demo.agent,
        agent_version=demo.agent.published_version,
        carrier_sid=carrier_sid(demo.organization, -number),  # those of the history count from 0
        caller_number=f"{CUSTOMER}{number}",
        dialed_number=demo.number.number,
    )
    connected_at, ended_at = at + dt.timedelta(seconds=1), at + dt.timedelta(seconds=95)
    Call.objects.filter(pk=call.pk).update(
        created_at=at, connected_at=connected_at, ended_at=ended_at, state=CallState.COMPLETED, end_reason=reason
    )
    for kind, when in (("ringing", at), ("connected", connected_at)):
        CallEvent.objects.create(call=call, kind=kind, at=when)
    CallEvent.objects.create(call=call, kind="ended", at=ended_at, detail={"reason": str(reason)})
    note_day_change(demo.organization.pk, at, call_id=call.pk)
    call.refresh_from_db()
    return call


def leave_message(call: Call, why: Voicemail.Why, said: str, heard_by: str) -> None:
    voicemail = Voicemail.objects.create(
        call=call,
        recording_sid=f"RE{(call.carrier_sid or '')[2:]}",
        why=why,
        state=Voicemail.State.STORED,
        duration_s=len(said) // 12,
        transcript=said,
        heard_by=heard_by,
        heard_at=timezone.now() if heard_by else None,
        is_at_carrier=False,
    )
    Voicemail.objects.filter(pk=voicemail.pk).update(created_at=call.ended_at)


def transfer_call(call: Call, slug: str, mode: TransferMode, state: TransferState, became: AttemptState) -> None:
    """As its webhooks would have written it."""
    begins_at = call.created_at + dt.timedelta(seconds=30)
    target = call.organization.transfer_targets.filter(slug=slug).first() if call.organization else None
    if target is None:
        return
    stream = MediaStream.objects.create(
        call=call, account_sid="AC" + "0" * 32, stream_sid="MZ" + (call.carrier_sid or "")[2:], expires_at=begins_at,
        used_at=call.connected_at, ended_at=begins_at, follow_up=FollowUp.HAND_OVER, hand_over_to=slug,
        next_step=Step.HOLD if mode == TransferMode.WARM else Step.DIAL, next_target=slug,
    )  # fmt: skip
    joined_at = begins_at + dt.timedelta(seconds=12) if state == TransferState.TALKED else None
    transfer = Transfer.objects.create(
        call=call, stream=stream, wanted=slug, name=target.name, mode=mode, if_nobody=IfNobody.MESSAGE, state=state,
        accepted_at=joined_at, joined_at=joined_at, ended_at=call.ended_at,
    )  # fmt: skip
    Transfer.objects.filter(pk=transfer.pk).update(created_at=begins_at)
    TransferAttempt.objects.create(
        transfer=transfer, position=0, slug=slug, name=target.name, number=target.number,
        caller_id=CallerId.ORGANIZATION, state=became, dialed_at=begins_at, answered_at=joined_at, joined_at=joined_at,
        ended_at=call.ended_at, leg_ended_at=call.ended_at,
    )  # fmt: skip


def write_text(demo: Demo, number: int, hours: int, kind: str, body: str, state: TextState, reason: str) -> None:
    at = timezone.now() - dt.timedelta(hours=hours, minutes=10 - number)
    text = Text.objects.create(
        organization=demo.organization,
        direction=Direction.OUTBOUND if kind else Direction.INBOUND,
        kind=kind,
        key=f"demo {number}",
        number=f"{CUSTOMER}{30 + hours}",
        our_number=demo.number.number,
        body=f"{demo.organization.name}: {body}" if kind else body,
        state=state,
        reason=reason,
        due_at=at,
        sent_at=at if state in SENT else None,
        ended_at=at,
    )
    Text.objects.filter(pk=text.pk).update(created_at=at)

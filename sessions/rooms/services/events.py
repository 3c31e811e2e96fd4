"""LiveKit's reports of a call's room, in any order and repeated: who joined, who left, that it closed.

Each function is one transaction and idempotent. A report about a call that is over is saved, but revives nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.services import finish_call
from sessions.rooms.queries import CLOCKS_DIFFER_BY
from voiceapp.providers.livekit import values as livekit_facts

from .agents import agents_gone_with, agents_not_listed
from .attendance import Attendance, sid_of
from .endings import UNREPORTED, correct_end
from .listeners import is_listener, listener_left, listeners_gone_with, listeners_not_listed
from .phone_ends import end_with_phone
from .watchdog import replace_lost_agent


@transaction.atomic
def room_opened(call: Call, *, at: dt.datetime) -> None:
    attendance = Attendance(call)
    attendance.note_once("room_opened", attendance.within(at))


@transaction.atomic
def participant_seen(call: Call, participant: livekit_facts.Participant, *, at: dt.datetime) -> None:
    """Somebody joined, or did what only those do who are there."""
    if is_listener(participant.identity):
        return
    attendance = Attendance(call)
    attendance.came(participant, at=participant.joined_at or at)
    attendance.connect()
    replace_lost_agent(attendance.call)


@transaction.atomic
def participant_left(call: Call, participant: livekit_facts.Participant, *, at: dt.datetime) -> None:
    """LiveKit repeats the time of joining when somebody leaves: one report contains both."""
    if is_listener(participant.identity):
        listener_left(participant.identity, why=participant.disconnect_reason)
        return
    attendance = Attendance(call)
    attendance.left(participant, at=at)
    attendance.connect()
    end_with_phone(attendance.call, why=participant.disconnect_reason)
    replace_lost_agent(attendance.call)


@transaction.atomic
def participant_never_came(call: Call, participant: livekit_facts.Participant, *, at: dt.datetime) -> None:
    """Somebody tried to join, and the connection failed."""
    if is_listener(participant.identity):
        listener_left(participant.identity)
        return
    Attendance(call).never_came(participant, at=at)


@transaction.atomic
def only_these_are_there(call: Call, present: Collection[livekit_facts.Participant], *, at: dt.datetime) -> None:
    """Apply a listing of the room at that time: it replaces reports that were lost."""
    listeners_not_listed(call, [participant.identity for participant in present], at=at)
    present = [participant for participant in present if not is_listener(participant.identity)]
    attendance = Attendance(call)
    for participant in present:
        if participant.state == "active":
            attendance.is_listed(participant, at=at)
    # Who came while we looked may be missing.
    unseen = attendance.call.participants.filter(left_at__isnull=True, joined_at__lt=at - CLOCKS_DIFFER_BY)
    for row in unseen.exclude(sid__in=[sid_of(participant) for participant in present]):
        attendance.went(row, at=at)
    agents_not_listed(call, [participant.identity for participant in present], at=at)
    attendance.connect()
    end_with_phone(attendance.call)
    replace_lost_agent(attendance.call)


@transaction.atomic
def room_closed(call: Call, *, at: dt.datetime, why: str = "", reason: EndReason = EndReason.ROOM_CLOSED) -> bool:
    """The room is empty, and so the call is over. True for the caller that ended it.

    `at` is when it closed. Where that was only estimated (`why` is UNREPORTED), a later report of LiveKit's corrects
    it.
    """
    attendance = Attendance(call)
    if why != UNREPORTED:
        correct_end(call, at=attendance.within(at))
    at = attendance.within(at)
    for row in attendance.call.participants.filter(left_at__isnull=True, joined_at__isnull=False):
        attendance.went(row, at=at, why="room_closed")
    agents_gone_with(call.pk, at=at)
    listeners_gone_with(call.pk)
    attendance.connect()
    attendance.note_once("room_closed", at, **({"reason": why} if why else {}))
    return finish_call(call.pk, reason=reason, at=at)

"""Which call a room belongs to: a name may be used again once its call is over, LiveKit's `sid` may not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from agents.configuration.models import Persona
from sessions.calls.models import Call

# A room is made after its call, by two clocks, and LiveKit may give whole seconds.
WITHIN_A_SECOND = dt.timedelta(seconds=1)
CLOCKS_DIFFER_BY = dt.timedelta(seconds=10)
MOST_NAMESAKES = 20


def find_call_of_room(name: str, *, sid: str, opened_at: dt.datetime | None, at: dt.datetime) -> Call | None:
    """The call of this room, which is remembered by its `sid` then; None if no call has it.

    `opened_at` is when LiveKit created the room, `at` the time of the event. Without a `sid`, time alone decides.
    """
    if not name:
        return None
    named = Call.objects.in_rooms().filter(room_name=name).select_related("organization").order_by("-created_at")
    if not sid:
        return _newest_before(named[:MOST_NAMESAKES], at)
    known = named.filter(room_sid=sid).first()
    if known:
        return known
    time = opened_at or at
    unclaimed = [call for call in named.filter(room_sid="")[:MOST_NAMESAKES] if not _ended_before(call, time)]
    call = _newest_before(unclaimed, time)
    return call if call and claim_room(call, sid) else None


def recorder_of(call: Call) -> Persona.RoomRecordedBy:
    """Who records a call in a room if its session is requested with a recording: as its agent was published."""
    version = call.agent_version
    return Persona.RoomRecordedBy(version.room_recording) if version else Persona.RoomRecordedBy.EGRESS


def claim_room(call: Call, sid: str) -> bool:
    """Remember which room is the call's. False if it has another one."""
    if not call.room_sid and Call.objects.filter(pk=call.pk, room_sid="").update(room_sid=sid):
        call.room_sid = sid
    elif call.room_sid != sid:
        call.refresh_from_db(fields=["room_sid"])
    return call.room_sid == sid


def _newest_before(newest_first: Iterable[Call], time: dt.datetime) -> Call | None:
    """The last one that was there by then; failing that, the first of those that clocks may have put after it."""
    calls = list(newest_first)
    for call in calls:
        if call.created_at <= time + WITHIN_A_SECOND:
            return call
    return next((call for call in reversed(calls) if call.created_at <= time + CLOCKS_DIFFER_BY), None)


def _ended_before(call: Call, time: dt.datetime) -> bool:
    return call.ended_at is not None and call.ended_at < time - CLOCKS_DIFFER_BY

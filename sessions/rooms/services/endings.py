"""When a room closed whose end LiveKit did not report: from what is known of it, not from when it was missed."""

from __future__ import annotations

import datetime as dt

from django.db.models import Max

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.rooms.models import Participant
from voiceapp.providers.livekit.client import DEPARTURE_TIMEOUT_S, JOIN_TOKEN_TTL_S

# The reason, in the timeline, of a room that was found to be gone.
UNREPORTED = "not_found"
DEPARTURE = dt.timedelta(seconds=DEPARTURE_TIMEOUT_S)
# Our rooms wait so long for the first person: sessions/rooms/services/calls.py.
EMPTY = dt.timedelta(seconds=JOIN_TOKEN_TTL_S)


def estimated_end(call: Call, *, now: dt.datetime) -> dt.datetime:
    """Not before LiveKit last had the room, and not after `now`, when it was found to be gone.

    In between, the rules by which LiveKit closes rooms decide: some time after the last person left, or after no one
    came. Where people were still there as far as we know, it is the last time at which the room was known to be open.
    """
    seen_at = max(filter(None, (call.created_at, call.connected_at, call.room_seen_at)))
    people = call.participants.filter(kind=Participant.Kind.PERSON, joined_at__isnull=False)
    if people.filter(left_at__isnull=True).exists():
        return min(seen_at, now)
    last_left_at = people.aggregate(last=Max("left_at"))["last"]
    closes_at = last_left_at + DEPARTURE if last_left_at else call.created_at + EMPTY
    return min(max(closes_at, seen_at), now)


def correct_end(call: Call, *, at: dt.datetime) -> None:
    """LiveKit reports, late, when it closed the room: an estimate gives way. State and reason stay as they are."""
    estimate = call.events.filter(kind="room_closed", detail__reason=UNREPORTED)
    if not estimate.update(at=at, detail={}):
        return
    ended = Call.objects.filter(pk=call.pk, end_reason=EndReason.ROOM_CLOSED)
    if ended.update(ended_at=at):
        call.events.filter(kind="ended").update(at=at)

"""The end of a call that was made to a phone: when its callee hangs up, or does not answer."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallType
from sessions.rooms.models import RoomToken
from voiceapp.providers.livekit.client import RINGING_TIMEOUT_S

from .calls import end_room_call
from .phones import is_phone

# By then LiveKit has reported that nobody answered.
RINGS_FOR = dt.timedelta(seconds=RINGING_TIMEOUT_S + 30)


def end_with_phone(call: Call, *, why: str = "") -> None:
    """The callee's phone hung up, or nobody answered: the call is over. `why` is LiveKit's reason of their leaving."""
    if not _is_for_phone(call):
        return
    phones = call.participants.filter(identity__in=_identities(call))
    if not phones.exists() or phones.filter(left_at__isnull=True).exists():
        return
    if phones.filter(joined_at__isnull=False).exists():
        end_room_call(call, reason=EndReason.ROOM_CLOSED)
    else:
        is_unreachable = why == "sip_trunk_failure"
        end_room_call(call, reason=EndReason.PHONE_NOT_REACHED if is_unreachable else EndReason.NOT_ANSWERED)


def end_unanswered(call: Call, now: dt.datetime) -> None:
    """LiveKit's report that nobody answered may be lost."""
    if _is_for_phone(call) and call.created_at < now - RINGS_FOR and call.connected_at is None:
        answered = call.participants.filter(joined_at__isnull=False, identity__in=_identities(call))
        if not answered.exists():
            end_room_call(call, reason=EndReason.NOT_ANSWERED)


def _is_for_phone(call: Call) -> bool:
    return is_phone(call.callee) and call.call_type != CallType.CONFERENCE


def _identities(call: Call) -> QuerySet[RoomToken, str]:
    return call.room_tokens.filter(subject=call.callee).values_list("identity", flat=True)

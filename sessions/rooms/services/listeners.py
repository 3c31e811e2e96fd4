"""Operators who listen in on a call in a room: each a hidden participant who only receives, and no party to the call.

LiveKit lists them, reports them and lets them keep a room open as it does people. So whoever reads participants asks
`is_listener` first, and they are put out when everybody else has left.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from agents.organizations.access import load_access
from agents.organizations.roles import Area, Power
from sessions.calls.listenings import MOST_LISTENERS, begin_listening, end_listening
from sessions.calls.models import Call, CallListening
from sessions.rooms.models import Participant
from voiceapp.core.errors import ApplicationError
from voiceapp.core.transactions import release_connections
from voiceapp.providers.livekit.client import LISTENER_TOKEN_TTL_S, LiveKitClient

logger = structlog.get_logger("rooms")

# No token of a party has such an identity: sessions/rooms/services/tokens.py.
PREFIX = "listener-"
# LiveKit accepts a token a minute longer than it says.
JOINS_WITHIN = dt.timedelta(seconds=LISTENER_TOKEN_TTL_S + 60)
# A client that comes back under its own identity puts its old connection out.
CAME_BACK = "duplicate_identity"
MOST_AT_ONCE = 100


class TooManyListeners(ApplicationError):
    """As many as may hear one call do."""


class NobodyThere(ApplicationError):
    """The call is over, or its room is empty."""


@dataclass(frozen=True, slots=True)
class ListenerTicket:
    """The identity of a hidden participant, its signed token (stored nowhere), and the server that accepts it."""

    identity: str
    token: str
    server_url: str


def let_in(call: Call, *, by: str) -> ListenerTicket:
    """Write down that this user listens, then sign a token. Raises NobodyThere, TooManyListeners and LiveKitError."""
    client, identity = LiveKitClient.from_settings(), f"{PREFIX}{secrets.token_hex(16)}"
    with transaction.atomic():
        live = Call.objects.live().in_rooms().select_for_update(of=("self",), no_key=True).filter(pk=call.pk).first()
        if live is None or not is_anybody_there(live):
            raise NobodyThere
        if _listening().filter(call_number=call.pk).count() >= MOST_LISTENERS:
            raise TooManyListeners
        begin_listening(live, by=by, room_identity=identity)
    token = client.listener_token(room=str(live.room_name), identity=identity)
    return ListenerTicket(identity, token, client.browser_url)


def is_anybody_there(call: Call) -> bool:
    """A person, who is to be heard. A listener who came first would keep the room open for nobody."""
    people = call.participants.filter(kind=Participant.Kind.PERSON, joined_at__isnull=False, left_at__isnull=True)
    return people.exists()


def is_listener(identity: str) -> bool:
    """Whether this is no party to the call, wherever it was seen. It says nothing of what they may."""
    return identity.startswith(PREFIX)


def is_let_in(call: Call, identity: str) -> bool:
    """They may be in the call's room now."""
    return is_listener(identity) and _listening().filter(call_number=call.pk, room_identity=identity).exists()


def has_listened(call: Call, identity: str) -> bool:
    return is_listener(identity) and CallListening.objects.filter(call_number=call.pk, room_identity=identity).exists()


def stop_listening(call: Call, identity: str, *, by: str) -> None:
    """A user's own browser says so; LiveKit's report, or a look into the room, would say the same later."""
    _end(_listening().filter(call_number=call.pk, room_identity=identity, principal=by[:150]))


def listener_left(identity: str, *, why: str = "") -> None:
    if why != CAME_BACK:
        _end(_listening().filter(room_identity=identity))


def listeners_not_listed(call: Call, listed: Collection[str], *, at: dt.datetime) -> None:
    """LiveKit's list of `at` lacks them, and their tokens are no longer accepted."""
    _end(_listening().filter(call_number=call.pk, began_at__lt=at - JOINS_WITHIN).exclude(room_identity__in=listed))


def listeners_gone_with(call_id: UUID) -> None:
    """The call is over, and so its room closes."""
    _end(_listening().filter(call_number=call_id))


def put_listeners_out(call: Call | None = None) -> None:
    """Those of this call, or of all, who may not stay. Requests to LiveKit, with no transaction open.

    Their call is over, nobody else is in the room, or the role was taken away. Raises LiveKitError.
    """
    listening = _listening() if call is None else _listening().filter(call_number=call.pk)
    for each in listening[:MOST_AT_ONCE]:
        of_call = Call.objects.live().filter(pk=each.call_number).first()
        if of_call is not None and is_anybody_there(of_call) and _may_still(each):
            continue
        if of_call is not None:
            release_connections()
            LiveKitClient.from_settings().remove_participant(str(of_call.room_name), str(each.room_identity))
            logger.info("listener put out", call_id=str(of_call.pk), by=each.principal)
        end_listening(each.pk)


def _may_still(listening: CallListening) -> bool:
    user = User.objects.filter(username=listening.principal, is_staff=True).first()
    return user is not None and load_access(user).may(Area.LISTENING, Power.OPERATE, listening.organization_id)


def _listening() -> QuerySet[CallListening]:
    """In rooms, now."""
    return CallListening.objects.filter(ended_at=None, room_identity__isnull=False)


def _end(listening: QuerySet[CallListening]) -> None:
    for number in listening.values_list("pk", flat=True):
        end_listening(number)

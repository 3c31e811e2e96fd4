"""Removes participants who do not belong in a room. Requests to LiveKit only, with no transaction open.

A token outlives its call for some minutes, and LiveKit lets any holder of the API key in: so neither a room nor
who is in it can be taken for ours because of its name.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from django.conf import settings
from django.utils import timezone

from sessions.calls.models import Call
from sessions.calls.services import record_event
from sessions.rooms.presence import Side
from voiceapp.core.transactions import release_connections
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.values import Participant, Room

from .endings import UNREPORTED, estimated_end
from .events import room_closed
from .listeners import has_listened, is_let_in
from .parties import Parties

logger = structlog.get_logger("rooms")


def remove_unauthorized(call: Call, seen: Iterable[Participant]) -> int:
    """Disconnect those of a live call's room who have no token for it; returns how many. Raises LiveKitError.

    An agent that was not requested is one of them, and its dispatch is withdrawn.
    """
    parties = Parties(call)
    others = [each for each in seen if each.kind != "egress" and not parties.is_authorized(each.identity)]
    strangers = [each for each in others if not is_let_in(call, each.identity)]
    if not strangers or not Call.objects.live().filter(pk=call.pk).exists():
        return 0
    name, client = str(call.room_name), LiveKitClient.from_settings()
    release_connections()
    room = client.find_room(name)
    if room is None or call.room_sid not in ("", room.sid):
        return 0
    if any(each.is_agent for each in strangers):
        _withdraw_dispatches(client, name)
    return sum(_remove(client, call, each) for each in strangers)


def close_room_of_no_call(name: str, *, sid: str) -> bool:
    """Close the room of this `sid` if its name was a call's and it is no live call's room. Raises LiveKitError.

    Rooms whose name no call of ours ever had are another application's.
    """
    named = Call.objects.in_rooms().filter(room_name=name).order_by("-created_at")
    newest = named.first() if name else None
    if newest is None or _is_of_a_live_call(name, sid):
        return False
    client = LiveKitClient.from_settings()
    release_connections()
    room = client.find_room(name)
    return room is not None and sid in ("", room.sid) and close_found_room(newest, room, client=client)


def close_found_room(newest: Call, room: Room, *, client: LiveKitClient) -> bool:
    """Close what LiveKit has under the name of this call and is no live call's room. Raises LiveKitError."""
    live = Call.objects.live().in_rooms().filter(room_name=room.name).first()
    if live and live.room_sid in ("", room.sid):
        return False
    if live:
        # A name has one room: the live call's own has closed, and a token opened another.
        before = room.created_at or timezone.now()
        room_closed(live, at=estimated_end(live, now=before), why=UNREPORTED)
    release_connections()
    if not client.delete_room(room.name):
        return False
    record_event(newest.pk, "reopened_room_closed")
    logger.warning("room of no live call closed", call_id=str(newest.pk), room_sid=room.sid)
    return True


def _is_of_a_live_call(name: str, sid: str) -> bool:
    live = Call.objects.live().in_rooms().filter(room_name=name)
    return live.filter(room_sid__in=("", sid)).exists()


def _withdraw_dispatches(client: LiveKitClient, room: str) -> None:
    for dispatch in client.list_dispatches(room):
        if dispatch.agent_name != settings.LIVEKIT_AGENT_NAME:
            client.delete_dispatch(room, dispatch.id)


def _remove(client: LiveKitClient, call: Call, stranger: Participant) -> bool:
    # LiveKit may report that they left before it has answered.
    requested_at = timezone.now()
    if not client.remove_participant(str(call.room_name), stranger.identity):
        return False
    if has_listened(call, stranger.identity):
        return True  # Who listened is on the timeline, and nobody was told that they are there.
    # No identity: that of a telephone is its number.
    detail = {"who": Side.UNAUTHORIZED.value, "kind": stranger.kind}
    record_event(call.pk, "participant_removed", detail, at=requested_at)
    logger.warning("participant without a token removed", call_id=str(call.pk), participant_kind=stranger.kind)
    return True

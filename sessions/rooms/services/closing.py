"""Rooms of calls that are over are closed in LiveKit, too: promised with the end, kept by the outbox."""

from __future__ import annotations

import datetime as dt

from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from voiceapp.providers.livekit.client import LiveKitClient

TOPIC = "room.close"


def promise_room_closed(call: Call, *, after: dt.timedelta = dt.timedelta()) -> None:
    """In the caller's transaction: LiveKit will be asked to close the room until it has answered.

    `after`: not before that. A request without an answer may still be carried out.
    """
    assert call.room_name
    body = {"callId": str(call.pk), "roomName": call.room_name}
    outbox.enqueue(TOPIC, partition_key=call.room_name, body=body, organization=call.organization, delay=after)


def close_room(message: OutboxMessage) -> None:
    """Raises LiveKitError. A room that has closed by itself is as good; one that a later call has is that call's."""
    room = str(message.body["roomName"])
    if not Call.objects.live().in_rooms().filter(room_name=room).exists():
        LiveKitClient.from_settings().delete_room(room)

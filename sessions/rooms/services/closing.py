"""Close the LiveKit rooms of calls that are over: enqueued in the outbox when the call ends."""

from __future__ import annotations

import datetime as dt

from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from voiceapp.providers.livekit.client import LiveKitClient

TOPIC = "room.close"


def enqueue_room_closing(call: Call, *, after: dt.timedelta = dt.timedelta()) -> None:
    """In the caller's transaction: the room is closed, with retries until LiveKit has responded.

    `after`: the delay. LiveKit may still carry out a request to open the room to which it did not respond.
    """
    assert call.room_name
    body = {"callId": str(call.pk), "roomName": call.room_name}
    outbox.enqueue(TOPIC, partition_key=call.room_name, body=body, organization=call.organization, delay=after)


def close_room(message: OutboxMessage) -> None:
    """Raises LiveKitError. A room that has closed by itself is as good; one that a later call has is that call's."""
    room = str(message.body["roomName"])
    if not Call.objects.live().in_rooms().filter(room_name=room).exists():
        LiveKitClient.from_settings().delete_room(room)

"""Rooms of calls that are over are closed in LiveKit, too: promised with the end, kept by the outbox."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from sessions.calls.models import Call
from sessions.messages import outbox
from sessions.messages.models import OutboxMessage
from voiceapp.providers.livekit.client import LiveKitClient

TOPIC = "room.close"


def promise_room_closed(call: Call, *, after: dt.timedelta = dt.timedelta()) -> None:
    """In the caller's transaction: LiveKit will be asked to close the room until it has answered.

    `after`: not before that. A request without an answer may still be carried out.
    """
    assert call.room_name
    body = {"callId": str(call.pk), "roomName": call.room_name}
    message = outbox.emit(TOPIC, key=call.room_name, body=body, organization=call.organization)
    if after:
        OutboxMessage.objects.filter(pk=message.pk).update(due_at=timezone.now() + after)


def close_room(message: OutboxMessage) -> None:
    """Raises LiveKitError. A room that has closed by itself is as good; one that a later call has is that call's."""
    room = str(message.body["roomName"])
    if not Call.objects.live().in_rooms().filter(room_name=room).exists():
        LiveKitClient.from_settings().delete_room(room)

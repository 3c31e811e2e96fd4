"""What each LiveKit event does to a call. It is safe to process an event twice, late and out of order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from uuid import UUID

from recordings.services.automatic import enqueue_automatic_recording
from recordings.services.reports import apply_report
from recordings.sources.livekit import report_of
from sessions.calls.models import Call
from sessions.rooms.queries import find_call_of_room
from sessions.rooms.services import events as room_facts
from sessions.rooms.services.guard import close_room_of_no_call, remove_unauthorized
from sessions.rooms.services.listeners import put_listeners_out
from telephony.events.models import ProviderEvent
from voiceapp.providers.livekit.values import Room
from voiceapp.providers.livekit.webhooks import LiveKitEvent, event_of

SOURCE = "livekit"
# What an event says of somebody in the room, who is known by a name or a number.
PERSONS = frozenset({"participant", "track"})
A_SECOND = dt.timedelta(milliseconds=999)

RoomEvent = Callable[[Call, LiveKitEvent, dt.datetime], None]


def process_livekit_event(stored: ProviderEvent) -> None:
    """Raises ProviderError where it should be retried. An event about no call of ours is done, too."""
    event = event_of(stored.fields, key=stored.dedup_key)
    if event.recording:
        recording = apply_report(report_of(event.recording))
        if recording:
            _set_call(stored, recording.call_id)
        else:
            _forget_persons(stored)
        return
    at = _occurred_at(event, stored.created_at)
    room, call = event.room, _call_of(event, at)
    if call:
        _set_call(stored, call.pk)
        ROOM_EVENTS.get(event.event, _ignore)(call, event, at)
    if room and event.event in ROOM_IS_OPEN and (call is None or _is_after_its_end(call, room, at)):
        close_room_of_no_call(room.name, sid=room.sid)
    if call is None:
        _forget_persons(stored)


def delete_waiting_events(call: Call) -> None:
    """Those that name no call yet and are about this one. A later call may have a room of the same name."""
    waiting = ProviderEvent.objects.filter(source=SOURCE, call=None, partition_key=call.room_name or "")
    of_call = [stored.pk for stored in waiting if call.room_name and _is_about(stored, call)]
    ProviderEvent.objects.filter(pk__in=of_call).delete()


def _is_about(stored: ProviderEvent, call: Call) -> bool:
    event = event_of(stored.fields, key=stored.dedup_key)
    if event.recording:
        return call.recordings.filter(external_id=event.recording.egress_id).exists()
    found = _call_of(event, _occurred_at(event, stored.created_at))
    return found is not None and found.pk == call.pk


def _call_of(event: LiveKitEvent, at: dt.datetime) -> Call | None:
    room = event.room
    return find_call_of_room(room.name, sid=room.sid, opened_at=room.created_at, at=at) if room else None


def _is_after_its_end(call: Call, room: Room, at: dt.datetime) -> bool:
    """Whether it belongs to a room that outlives its call, and is not just a late event of that call."""
    call.refresh_from_db(fields=["state", "ended_at"])
    if call.ended_at is None:
        return False
    return at > call.ended_at + A_SECOND or (room.created_at is not None and room.created_at > call.ended_at)


def _occurred_at(event: LiveKitEvent, received_at: dt.datetime) -> dt.datetime:
    """LiveKit gives the second in which it happened: we take that second's end, unless we received the event before."""
    return min(received_at, event.created_at + A_SECOND) if event.created_at else received_at


def _set_call(stored: ProviderEvent, call_id: UUID) -> None:
    if not stored.call_id:
        ProviderEvent.objects.filter(pk=stored.pk).update(call=call_id)


def _forget_persons(stored: ProviderEvent) -> None:
    """Its call is not ours, or was deleted with all that is known of its caller."""
    if PERSONS.intersection(stored.fields):
        fields = {name: value for name, value in stored.fields.items() if name not in PERSONS}
        ProviderEvent.objects.filter(pk=stored.pk, call=None).update(fields=fields)


def _ignore(call: Call, event: LiveKitEvent, at: dt.datetime) -> None:
    """An event that changes nothing, or that we do not know."""


def _room_started(call: Call, event: LiveKitEvent, at: dt.datetime) -> None:
    room_facts.room_opened(call, at=event.room.created_at or at if event.room else at)


def _room_finished(call: Call, event: LiveKitEvent, at: dt.datetime) -> None:
    room_facts.room_closed(call, at=at, why=event.room_end_reason)


def _participant_joined(call: Call, event: LiveKitEvent, at: dt.datetime) -> None:
    if event.participant:
        room_facts.participant_seen(call, event.participant, at=at)
        remove_unauthorized(call, [event.participant])


def _participant_left(call: Call, event: LiveKitEvent, at: dt.datetime) -> None:
    if event.participant:
        room_facts.participant_left(call, event.participant, at=at)
        put_listeners_out(call)


def _participant_connection_aborted(call: Call, event: LiveKitEvent, at: dt.datetime) -> None:
    if event.participant:
        room_facts.participant_never_came(call, event.participant, at=at)


def _track_published(call: Call, event: LiveKitEvent, at: dt.datetime) -> None:
    _participant_joined(call, event, at)
    enqueue_automatic_recording(call)


# Events of a room in which somebody is, or which has just been opened.
ROOM_IS_OPEN = frozenset({"room_started", "participant_joined", "track_published"})
ROOM_EVENTS: Mapping[str, RoomEvent] = {
    "room_started": _room_started,
    "room_finished": _room_finished,
    "participant_joined": _participant_joined,
    "participant_left": _participant_left,
    "participant_connection_aborted": _participant_connection_aborted,
    "track_published": _track_published,
    "track_unpublished": _participant_joined,
}

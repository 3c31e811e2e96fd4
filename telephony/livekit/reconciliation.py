"""Reconcile live calls with the rooms that LiveKit lists: a webhook may have been lost."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from recordings.services.automatic import enqueue_automatic_recording
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallState
from sessions.messages.models import OutboxMessage
from sessions.rooms.models import Participant, RoomAgent
from sessions.rooms.queries import claim_room
from sessions.rooms.services.agents import agents_gone_with
from sessions.rooms.services.calls import end_room_call
from sessions.rooms.services.closing import TOPIC as ROOM_CLOSING
from sessions.rooms.services.endings import UNREPORTED, estimated_end
from sessions.rooms.services.events import only_these_are_there, room_closed
from sessions.rooms.services.guard import close_found_room, remove_unauthorized
from sessions.rooms.services.listeners import put_listeners_out
from sessions.rooms.services.phone_ends import end_unanswered
from sessions.rooms.services.watchdog import agents_to_watch, watch_agents
from voiceapp.core.jobs.wake_up import WakeUp
from voiceapp.core.transactions import release_connections
from voiceapp.providers.livekit import values as livekit_facts
from voiceapp.providers.livekit.client import JOIN_TOKEN_TTL_S, LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError

logger = structlog.get_logger("rooms")

# LiveKit drops an event after 15 s to 30 s: a web process that starts makes up for what was dropped meanwhile.
catch_up = WakeUp("telephony.tasks.catch_up_with_rooms")

# How often this runs: voiceapp/celery.py. The times below hold together with it.
RUNS_EVERY = dt.timedelta(seconds=5)
# To open a room takes up to three requests of 5 s; until then the request that opens it is left alone.
OPENED_WITHIN = dt.timedelta(seconds=30)
# A project of several servers may list a room a little after it has made it.
LISTED_WITHIN = dt.timedelta(seconds=10)
# LiveKit drops an event after about 15 s, or 30 s in its queue: a call that is being set up, and one whose participants
# are not those that we know, does not wait for an event.
YOUNG_FOR = dt.timedelta(seconds=60)
CHECK_PARTICIPANTS_EVERY = dt.timedelta(seconds=25)
MAX_AT_ONCE = 100
# LiveKit accepts a token a little longer than its expiry says, and its clock may differ from ours.
TOKENS_ARE_VALID_FOR = dt.timedelta(seconds=JOIN_TOKEN_TTL_S) + dt.timedelta(minutes=2)
# The next run does the rest: no task outlives its time limit.
MAX_RUN = dt.timedelta(seconds=20)


def reconcile_rooms(*, is_everything: bool = False) -> int:
    """Reconcile the calls whose rooms were not seen for the longest time; how many there were. LiveKit away: none.

    One request lists the open rooms. Participants are requested for a call that is young, that differs from what we
    know, or that was not checked lately; with `is_everything`, for each. Rooms of calls that ended lately are closed if
    a token opened them again.
    """
    _remove_agents_of_ended_calls()
    _look_at_listeners()
    began = timezone.now()
    calls = list(_calls_to_reconcile(began)[:MAX_AT_ONCE])
    over = _calls_ended_lately(began)
    if not calls and not over:
        return 0
    reconciled = 0
    try:
        client = LiveKitClient.from_settings()
        release_connections()
        names = {call.room_name for call in calls if call.room_name} | over.keys()
        rooms = {room.name: room for room in client.list_rooms(sorted(names))}
        for call in calls:
            _reconcile_call(call, rooms.get(call.room_name or ""), client, listed_at=began, is_everything=is_everything)
            reconciled += 1
            if timezone.now() > began + MAX_RUN:
                break
        for name in over.keys() & rooms.keys():
            close_found_room(over[name], rooms[name], client=client)
    except LiveKitError as error:
        logger.warning("rooms not reconciled", reconciled=reconciled, waiting=len(calls) - reconciled, error=str(error))
    return reconciled


def _calls_to_reconcile(now: dt.datetime) -> QuerySet[Call]:
    is_being_opened = Q(state=CallState.PENDING, created_at__gt=now - OPENED_WITHIN)
    to_watch = Exists(agents_to_watch(now).filter(call=OuterRef("pk")))
    there = Q(participants__kind=Participant.Kind.PERSON, participants__joined_at__isnull=False)
    people = Count("participants", filter=there & Q(participants__left_at__isnull=True))
    calls = Call.objects.live().in_rooms().exclude(is_being_opened).annotate(has_agent_to_watch=to_watch, people=people)
    longest_ago = F("room_seen_at").asc(nulls_first=True)
    return calls.select_related("organization").order_by("-has_agent_to_watch", longest_ago, "created_at")


def _calls_ended_lately(now: dt.datetime) -> dict[str, Call]:
    """By the names of their rooms, as long as a token may still open them. Without those that are being closed."""
    ended = Call.objects.in_rooms().filter(ended_at__gt=now - TOKENS_ARE_VALID_FOR).exclude(room_name=None)
    closing = OutboxMessage.objects.filter(
        topic=ROOM_CLOSING, state=OutboxMessage.State.WAITING, partition_key=OuterRef("room_name")
    )
    newest_last = ended.exclude(Exists(closing)).order_by("-ended_at")[:MAX_AT_ONCE]
    return {str(call.room_name): call for call in reversed(newest_last)}


def _reconcile_call(
    call: Call, room: livekit_facts.Room | None, client: LiveKitClient, *, listed_at: dt.datetime, is_everything: bool
) -> None:
    """`listed_at`: when LiveKit listed its rooms. Raises LiveKitError."""
    if room is None or not claim_room(call, room.sid):
        if call.room_seen_at is None and call.created_at > listed_at - LISTED_WITHIN:
            return
        _has_no_room(call)
        if room:
            close_found_room(call, room, client=client)
        return
    Call.objects.filter(pk=call.pk).update(room_seen_at=listed_at)
    if is_everything or _is_due(call, room, listed_at):
        _reconcile_participants(call, room, client)
    end_unanswered(call, timezone.now())


def _is_due(call: Call, room: livekit_facts.Room, now: dt.datetime) -> bool:
    """Whether to request its participants."""
    is_young = call.created_at > now - YOUNG_FOR
    # LiveKit counts listeners, too: with one, a call is looked at each time.
    is_unchanged = room.participant_count == getattr(call, "people", None)
    was_checked = call.room_checked_at is not None and call.room_checked_at > now - CHECK_PARTICIPANTS_EVERY
    has_agent_to_watch = getattr(call, "has_agent_to_watch", False)
    return is_young or has_agent_to_watch or call.state == CallState.PENDING or not (is_unchanged and was_checked)


def _reconcile_participants(call: Call, room: livekit_facts.Room, client: LiveKitClient) -> None:
    """Raises LiveKitError."""
    requested_at = timezone.now()
    release_connections()
    present = client.list_participants(room.name)
    only_these_are_there(call, present, at=requested_at)
    remove_unauthorized(call, present)
    if any(participant.tracks for participant in present):
        enqueue_automatic_recording(call)
    watch_agents(call, timezone.now())
    Call.objects.filter(pk=call.pk).update(room_checked_at=requested_at)
    call.refresh_from_db(fields=["state"])
    if call.state == CallState.PENDING:
        # The process that opened the room died before it rang: nobody has a token for it.
        end_room_call(call, reason=EndReason.LOST_PROCESS)


def _has_no_room(call: Call) -> None:
    """Its room has closed, or was never opened because the process died that should have done so."""
    if Call.objects.filter(pk=call.pk, state=CallState.PENDING).exists():
        end_room_call(call, reason=EndReason.LOST_PROCESS)
    else:
        room_closed(call, at=estimated_end(call, now=timezone.now()), why=UNREPORTED)


def _look_at_listeners() -> None:
    """Each time: a role may have been taken away, and a listener keeps a room open that everybody else has left."""
    try:
        put_listeners_out()
    except LiveKitError as error:
        logger.warning("listeners not put out", error=str(error))


@transaction.atomic
def _remove_agents_of_ended_calls() -> None:
    """An agent may have been recorded as present at the same time as its call ended."""
    left_over = RoomAgent.objects.exclude(status=RoomAgent.Status.DISCONNECTED).exclude(call__in=Call.objects.live())
    for call_id in left_over.values_list("call_id", flat=True)[:MAX_AT_ONCE]:
        agents_gone_with(call_id, at=timezone.now())

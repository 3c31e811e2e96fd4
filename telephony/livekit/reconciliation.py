"""Calls in rooms that are not over: LiveKit is asked how their rooms stand, for its webhooks may be lost."""

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
from sessions.rooms.services.agents import agent_never_came, agents_gone_with, agents_overdue
from sessions.rooms.services.calls import end_room_call
from sessions.rooms.services.closing import TOPIC as ROOM_CLOSING
from sessions.rooms.services.endings import UNREPORTED, estimated_end
from sessions.rooms.services.events import only_these_are_there, room_closed
from sessions.rooms.services.guard import close_found_room, remove_unauthorized
from voiceapp.core.jobs.wake_up import WakeUp
from voiceapp.core.transactions import release_connections
from voiceapp.providers.livekit import values as livekit_facts
from voiceapp.providers.livekit.client import JOIN_TOKEN_TTL_S, LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError

logger = structlog.get_logger("rooms")

# LiveKit gives an event up after 15 s to 30 s: a web process that starts asks for what was dropped meanwhile.
catch_up = WakeUp("telephony.tasks.catch_up_with_rooms")

# How often this runs: voiceapp/celery.py. The times below hold together with it.
RUNS_EVERY = dt.timedelta(seconds=5)
# Opening a room asks LiveKit up to three questions of 5 s; who opens it is left alone until then.
OPENED_WITHIN = dt.timedelta(seconds=30)
# A project of several servers may list a room a little after it has made it.
LISTED_WITHIN = dt.timedelta(seconds=10)
# LiveKit gives an event up after about 15 s and drops those that waited for over 30 s: in a call that is being set up,
# and in one about which something does not fit, nothing waits for an event.
YOUNG_FOR = dt.timedelta(seconds=60)
LOOK_EVERY = dt.timedelta(seconds=25)
MOST_AT_ONCE = 100
# LiveKit takes a token a little longer than it says, and its clock may differ from ours.
TOKENS_ARE_GOOD_FOR = dt.timedelta(seconds=JOIN_TOKEN_TTL_S) + dt.timedelta(minutes=2)
# The rest is looked at by the next run: no task outlives its time limit.
LONGEST_RUN = dt.timedelta(seconds=20)


def reconcile_rooms(*, is_everything: bool = False) -> int:
    """How many calls were looked after: those first whose rooms were not for the longest time. LiveKit away: none.

    One question shows whose rooms are open. Who is in one is asked where it is young, or not as we know it, or was not
    looked into lately; with `is_everything`, of each. The rooms of calls that ended lately are looked for, too: a token
    may have opened them again.
    """
    _forget_agents_of_calls_that_are_over()
    began = timezone.now()
    calls = list(_calls_to_look_at(began)[:MOST_AT_ONCE])
    over = _calls_that_ended_lately(began)
    if not calls and not over:
        return 0
    looked_at = 0
    try:
        client = LiveKitClient.from_settings()
        release_connections()
        names = {call.room_name for call in calls if call.room_name} | over.keys()
        rooms = {room.name: room for room in client.list_rooms(sorted(names))}
        for call in calls:
            _look_at(call, rooms.get(call.room_name or ""), client, asked_at=began, is_everything=is_everything)
            looked_at += 1
            if timezone.now() > began + LONGEST_RUN:
                break
        for name in over.keys() & rooms.keys():
            close_found_room(over[name], rooms[name], client=client)
    except LiveKitError as error:
        logger.warning("rooms not reconciled", looked_at=looked_at, waiting=len(calls) - looked_at, error=str(error))
    return looked_at


def _calls_to_look_at(now: dt.datetime) -> QuerySet[Call]:
    is_being_opened = Q(state=CallState.PENDING, created_at__gt=now - OPENED_WITHIN)
    overdue = Exists(agents_overdue(now).filter(call=OuterRef("pk")))
    there = Q(participants__kind=Participant.Kind.PERSON, participants__joined_at__isnull=False)
    people = Count("participants", filter=there & Q(participants__left_at__isnull=True))
    calls = Call.objects.live().in_rooms().exclude(is_being_opened).annotate(is_overdue=overdue, people=people)
    longest_ago = F("room_seen_at").asc(nulls_first=True)
    return calls.select_related("organization").order_by("-is_overdue", longest_ago, "created_at")


def _calls_that_ended_lately(now: dt.datetime) -> dict[str, Call]:
    """By the names of their rooms, as long as a token may still open them. Without those that are being closed."""
    ended = Call.objects.in_rooms().filter(ended_at__gt=now - TOKENS_ARE_GOOD_FOR).exclude(room_name=None)
    closing = OutboxMessage.objects.filter(
        topic=ROOM_CLOSING, state=OutboxMessage.State.WAITING, partition_key=OuterRef("room_name")
    )
    newest_last = ended.exclude(Exists(closing)).order_by("-ended_at")[:MOST_AT_ONCE]
    return {str(call.room_name): call for call in reversed(newest_last)}


def _look_at(
    call: Call, room: livekit_facts.Room | None, client: LiveKitClient, *, asked_at: dt.datetime, is_everything: bool
) -> None:
    """`asked_at`: when LiveKit was asked which rooms are open. Raises LiveKitError."""
    if room is None or not claim_room(call, room.sid):
        if call.room_seen_at is None and call.created_at > asked_at - LISTED_WITHIN:
            return
        _has_no_room(call)
        if room:
            close_found_room(call, room, client=client)
        return
    Call.objects.filter(pk=call.pk).update(room_seen_at=asked_at)
    if is_everything or _is_due(call, room, asked_at):
        _look_into(call, room, client)


def _is_due(call: Call, room: livekit_facts.Room, now: dt.datetime) -> bool:
    """Whether to ask who is in its room."""
    is_young = call.created_at > now - YOUNG_FOR
    is_as_known = room.participant_count == getattr(call, "people", None)
    was_looked_into = call.room_checked_at is not None and call.room_checked_at > now - LOOK_EVERY
    has_overdue = getattr(call, "is_overdue", False)
    return is_young or has_overdue or call.state == CallState.PENDING or not (is_as_known and was_looked_into)


def _look_into(call: Call, room: livekit_facts.Room, client: LiveKitClient) -> None:
    """Raises LiveKitError."""
    asked_at = timezone.now()
    release_connections()
    present = client.list_participants(room.name)
    only_these_are_there(call, present, at=asked_at)
    remove_unauthorized(call, present)
    if any(participant.tracks for participant in present):
        enqueue_automatic_recording(call)
    for agent in agents_overdue(timezone.now()).filter(call=call):
        agent_never_came(agent)
    Call.objects.filter(pk=call.pk).update(room_checked_at=asked_at)
    call.refresh_from_db(fields=["state"])
    if call.state == CallState.PENDING:
        # Whoever opened the room went away before it rang: nobody has a token for it.
        end_room_call(call, reason=EndReason.LOST_PROCESS)


def _has_no_room(call: Call) -> None:
    """It has closed, or it was never opened: then who should have done so is gone, and might have been heard late."""
    if Call.objects.filter(pk=call.pk, state=CallState.PENDING).exists():
        end_room_call(call, reason=EndReason.LOST_PROCESS)
    else:
        room_closed(call, at=estimated_end(call, now=timezone.now()), why=UNREPORTED)


@transaction.atomic
def _forget_agents_of_calls_that_are_over() -> None:
    """An agent that was seen in the very moment in which its call ended."""
    of_the_past = RoomAgent.objects.exclude(status=RoomAgent.Status.DISCONNECTED).exclude(call__in=Call.objects.live())
    for call_id in of_the_past.values_list("call_id", flat=True)[:MOST_AT_ONCE]:
        agents_gone_with(call_id, at=timezone.now())

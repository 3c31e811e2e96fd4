"""Calls in rooms: opened, connected, changed, ended. No transaction is open during a request to LiveKit."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from sessions.calls.end_reasons import EndReason
from sessions.calls.feeds import announce_calls
from sessions.calls.models import Call, CallKind, CallState, CallType
from sessions.calls.services import finish_call, record_event
from sessions.realtime.services.instructions import default_persona
from sessions.rooms.models import RoomAgent, RoomToken
from voiceapp.core.errors import ApplicationError
from voiceapp.core.transactions import release_connections
from voiceapp.providers.livekit.client import JOIN_TOKEN_TTL_S, LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind

from .agents import agent_expected, agents_gone_with
from .closing import enqueue_room_closing
from .dispatches import dispatch_agent
from .listeners import listeners_gone_with
from .phones import dial_phone, is_phone
from .tokens import Ticket, issue_room_token, name_for, others_hold_tokens, ticket_for

LONGEST = 100
RANDOM_BYTES = 8
UNSAFE = re.compile(r"[^A-Za-z0-9_]+")


def new_room_name(call_type: str, subject: str, *, at: dt.datetime) -> str:
    """`support-user123-1640995200-3f9c2a7be1d04c55`: the form that clients know, and 64 random bits."""
    ending = f"{int(at.timestamp())}-{secrets.token_hex(RANDOM_BYTES)}"
    room_for_subject = LONGEST - len(call_type) - len(ending) - 2
    return f"{call_type}-{safe(subject)[:room_for_subject]}-{ending}"


def safe(subject: str) -> str:
    """A subject in the characters that a room's name may have."""
    return UNSAFE.sub("-", subject).strip("-") or "somebody"


logger = structlog.get_logger("room_calls")

# As long as the token is good: who joins later than the room lives would be given one without an agent.
EMPTY_ROOM_LIVES_S = JOIN_TOKEN_TTL_S
# LiveKit may still carry out what it did not answer in time.
LATE_ANSWER = dt.timedelta(seconds=15)


class RoomTaken(ApplicationError):
    """A live call has a room of this name, or somebody may still come into it."""

    message = "A live session has a room of this name. Take another name, or none."


class EndedMeanwhile(ApplicationError):
    """Somebody ended the call before LiveKit had answered."""

    message = "The session was ended before it was ready."


@dataclass(frozen=True, slots=True)
class WantedCall:
    """The requested call. Without a room name one is generated; without a voice it is the published agent's."""

    call_type: str = CallType.SUPPORT
    room_name: str = ""
    callee: str = ""
    is_recorded: bool = True
    has_agent: bool = True
    system_prompt: str = ""
    voice: str = ""
    participant_name: str = ""


@dataclass(frozen=True, slots=True)
class OpenedCall:
    """A call that rings, and how its caller joins. `agent` is there if LiveKit took its dispatch."""

    call: Call
    agent: RoomAgent | None
    ticket: Ticket


OnWritten = Callable[[Call], None]


def ignore(_: Call) -> None:
    """Nothing more is to be written with the call."""


def open_room_call(principal: Principal, wanted: WantedCall, *, on_written: OnWritten = ignore) -> OpenedCall:
    """Write the call, have LiveKit open its room, and ring. `on_written` is in the transaction that writes it.

    Raises RoomTaken, EndedMeanwhile and LiveKitError; then the call, if it was written, has ended and no room stays.
    """
    client = LiveKitClient.from_settings()
    call, agent, room_token = _write(principal, wanted, on_written)
    if wanted.room_name:
        _sweep(call, client)
    _open(call, agent, client)
    if not _rings(call):
        raise EndedMeanwhile
    return OpenedCall(call, agent, ticket_for(room_token, client=client))


def end_room_call(call: Call, *, reason: EndReason, state: CallState | None = None) -> bool:
    """End it once: its agents are gone, its room will be closed, be LiveKit away. False if it was over.

    `state` is the terminal state that a client requests; without it, it follows from the reason.
    """
    with transaction.atomic():
        is_ours = finish_call(call.pk, reason=reason, state=state)
        if is_ours:
            agents_gone_with(call.pk, at=timezone.now())
            listeners_gone_with(call.pk)
            enqueue_room_closing(call)
    return is_ours


@transaction.atomic
def _write(principal: Principal, wanted: WantedCall, on_written: OnWritten) -> tuple[Call, RoomAgent | None, RoomToken]:
    organization_id = principal.organization_id
    organization = Organization.objects.filter(pk=organization_id).first() if organization_id else None
    persona = default_persona(organization_id)
    name = wanted.room_name or new_room_name(wanted.call_type, principal.subject, at=timezone.now())
    try:
        with transaction.atomic():
            call = Call.objects.create(
                organization=organization,
                owner=principal.subject,
                agent_id=persona.agent_id if persona else None,
                agent_version=persona,
                kind=CallKind.ROOM,
                call_type=wanted.call_type,
                room_name=name,
                callee=wanted.callee,
                is_recording_wanted=wanted.is_recorded,
            )
    except IntegrityError as exc:
        raise RoomTaken from exc
    if wanted.room_name and others_hold_tokens(call):
        raise RoomTaken("Tokens for an earlier session in this room are still good. Take another name, or wait.")
    on_written(call)
    record_event(call.pk, "requested", {"call_type": call.call_type})
    announce_calls(call.organization_id, call.pk)
    agent = None
    if wanted.has_agent:
        agent = agent_expected(call, system_prompt=wanted.system_prompt, voice=wanted.voice)
    role = RoomToken.Role.CALLER
    requested_name = name_for(principal, role, requested=wanted.participant_name)
    return call, agent, issue_room_token(call, subject=principal.subject, role=role, name=requested_name)


def _sweep(call: Call, client: LiveKitClient) -> None:
    """What LiveKit still has of an earlier call's room is thrown away; a room that never was ours is left alone.

    LiveKit would give the room's new call the people who are in it, and no agent.
    """
    name = str(call.room_name)
    was_ours = Call.objects.in_rooms().filter(room_name=name).exclude(pk=call.pk).exists()
    release_connections()
    try:
        if client.find_room(name) is None:
            return
        if was_ours:
            client.delete_room(name)
            return
    except LiveKitError as error:
        _failed(call, error)
        raise
    finish_call(call.pk, reason=EndReason.ROOM_NOT_OPENED)
    agents_gone_with(call.pk, at=timezone.now())
    raise RoomTaken("There is a room of this name already. Take another name, or none.")


def _open(call: Call, agent: RoomAgent | None, client: LiveKitClient) -> None:
    release_connections()
    try:
        room = client.create_room(str(call.room_name), empty_timeout_s=EMPTY_ROOM_LIVES_S)
        if agent:
            dispatch_agent(agent, client)
        if is_phone(call.callee):
            dial_phone(call, call.callee, client=client)
    except LiveKitError as error:
        _failed(call, error, may_be_open=True)
        raise
    Call.objects.filter(pk=call.pk, room_sid="").update(room_sid=room.sid)


def _failed(call: Call, error: LiveKitError, *, may_be_open: bool = False) -> None:
    if error.kind is LiveKitErrorKind.NO_PHONES:
        reason = EndReason.PHONE_NOT_REACHED
    else:
        reason = EndReason.AGENT_NOT_DISPATCHED if call.room_agents.exists() else EndReason.ROOM_NOT_OPENED
    with transaction.atomic():
        record_event(call.pk, "room_not_opened", {"error": error.kind.value})
        finish_call(call.pk, reason=reason)
        agents_gone_with(call.pk, at=timezone.now())
        if may_be_open:
            enqueue_room_closing(call, after=LATE_ANSWER)
    logger.warning("room not opened", call_id=str(call.pk), kind=error.kind, error=str(error))


def _rings(call: Call) -> bool:
    """False if it ended meanwhile; the room that was just opened is then closed again."""
    with transaction.atomic():
        Call.objects.filter(pk=call.pk, state=CallState.PENDING).update(state=CallState.RINGING)
        call.refresh_from_db(fields=["state", "ended_at", "connected_at"])
        if not call.is_live:
            enqueue_room_closing(call)
    return call.is_live

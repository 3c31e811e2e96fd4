"""Requests agents from LiveKit and removes them. No transaction is open during a request to LiveKit."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.rooms.models import RoomAgent
from voiceapp.core.errors import ApplicationError
from voiceapp.core.transactions import release_connections
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError
from voiceapp.providers.livekit.values import AgentDispatch

from .agents import AgentIsThere, agent_expected, agent_of, agent_removed, agent_request, enqueue_withdrawal

Status = RoomAgent.Status


class CallIsOver(ApplicationError):
    """Nothing can be added to it any more."""

    message = "The call is over."


class RoomIsClosed(ApplicationError):
    """The call has not ended in our books, but its room has in LiveKit's."""

    message = "The room has closed."


class NoAgent(ApplicationError):
    """There is none to remove."""

    message = "There is no agent in this room, and none is on its way."


@dataclass(frozen=True, slots=True)
class SpawnedAgent:
    """`token` lets an agent that is no worker of LiveKit's join by itself."""

    agent: RoomAgent
    token: str
    server_url: str


def spawn_agent(call: Call, *, system_prompt: str, voice: str) -> SpawnedAgent:
    """Request an agent for the room of a live call.

    Raises CallIsOver, AgentIsThere, RoomIsClosed and LiveKitError; then no agent is expected, and one that LiveKit may
    send all the same is put out.
    """
    client = LiveKitClient.from_settings()
    room = _room_of(call)
    present = agent_of(call)
    if present and present.status != Status.DISCONNECTED:
        raise AgentIsThere
    release_connections()
    if client.find_room(room) is None:
        raise RoomIsClosed
    agent = agent_expected(call, system_prompt=system_prompt, voice=voice)
    try:
        is_wanted = dispatch_agent(agent, client)
    except LiveKitError:
        # Perhaps only its answer was lost.
        _give_up(agent)
        raise
    if not is_wanted:
        _give_up(agent)
        raise CallIsOver("The call ended, or the agent was removed, before LiveKit had answered.")
    token = client.agent_token(room=room, identity=agent.identity, name=settings.LIVEKIT_AGENT_NAME)
    return SpawnedAgent(agent, token, client.browser_url)


def dispatch_agent(agent: RoomAgent, client: LiveKitClient) -> bool:
    """The one way in which LiveKit is requested to send an agent. Raises LiveKitError.

    False if the call ended or the agent was removed meanwhile.
    """
    release_connections()
    dispatch = client.create_dispatch(str(agent.call.room_name), agent_request(agent))
    agent.dispatch_id = dispatch.id
    with transaction.atomic():
        RoomAgent.objects.filter(pk=agent.pk).update(dispatch_id=dispatch.id)
        wanted = RoomAgent.objects.filter(pk=agent.pk, call__in=Call.objects.live())
        return wanted.exclude(status=Status.DISCONNECTED).exists()


def remove_agent(call: Call) -> RoomAgent:
    """Remove every agent of the room, and withdraw requests. Raises NoAgent, and LiveKitError: retry."""
    agent = agent_of(call)
    if agent is None or agent.status == Status.DISCONNECTED:
        raise NoAgent
    client = LiveKitClient.from_settings()
    release_connections()
    _put_out(client, str(call.room_name))
    agent_removed(agent)
    return agent


def withdraw_agent(message: OutboxMessage) -> None:
    """Remove the agent of an enqueued withdrawal, and close a room without a live call. Raises LiveKitError."""
    room, client = str(message.body["roomName"]), LiveKitClient.from_settings()
    _put_out(client, room, only=str(message.body["agentIdentity"]))
    is_live = Call.objects.live().in_rooms().filter(room_name=room).exists()
    if not is_live:
        client.delete_room(room)


def _room_of(call: Call) -> str:
    if not call.is_live or not call.room_name:
        raise CallIsOver
    return call.room_name


@transaction.atomic
def _give_up(agent: RoomAgent) -> None:
    agent_removed(agent)
    enqueue_withdrawal(agent)


def _put_out(client: LiveKitClient, room: str, *, only: str = "") -> None:
    """Agents of this environment alone; `only` the one of this identity. Without the room there are none."""
    if client.find_room(room) is None:
        return
    try:
        _put_out_of_open_room(client, room, only=only)
    except LiveKitError:
        # A room that has closed since does not respond about its agents.
        if client.find_room(room) is not None:
            raise


def _put_out_of_open_room(client: LiveKitClient, room: str, *, only: str) -> None:
    for dispatch in client.list_dispatches(room):
        if dispatch.agent_name == settings.LIVEKIT_AGENT_NAME and only in ("", identity_in(dispatch)):
            client.delete_dispatch(room, dispatch.id)
    for participant in client.list_participants(room):
        if participant.is_agent and only in ("", participant.identity):
            client.remove_participant(room, participant.identity)


def identity_in(dispatch: AgentDispatch) -> str:
    try:
        metadata = json.loads(dispatch.metadata)
    except ValueError:
        return ""
    return str(metadata.get("agentIdentity", "")) if isinstance(metadata, dict) else ""

"""Agents in rooms: expected, seen, gone. Their status moves forward only, by guarded updates."""

from __future__ import annotations

import datetime as dt
import secrets
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from sessions.models import Call, OutboxMessage, RoomAgent, RoomPass
from sessions.outbox import emit
from sessions.services.calls import record_event
from voiceapp.lib.errors import ApplicationError

logger = structlog.get_logger("room_agents")

Status = RoomAgent.Status

# A worker that has to start first takes about 8 s to be there and 2 s to join (livekit-agents); LiveKit offers a
# dispatch to the workers of that moment alone, so one who has not come by now never will.
JOINS_WITHIN = dt.timedelta(seconds=30)
# The handler asks LiveKit to put the agent out: sessions/services/agent_dispatches.py.
WITHDRAW_TOPIC = "room_agent.withdraw"
FORWARD = {
    Status.PENDING: (Status.ACTIVE, Status.DISCONNECTED),
    Status.ACTIVE: (Status.DISCONNECTED,),
    Status.DISCONNECTED: (),
}


class AgentIsThere(ApplicationError):
    """A call has one agent at a time."""


class StatusRefused(ApplicationError):
    """An agent's status does not go back."""


def agent_expected(call: Call, *, system_prompt: str, voice: str) -> RoomAgent:
    """Write down that an agent was asked for, before LiveKit is. Raises AgentIsThere."""
    identity = f"ai-agent-{int(timezone.now().timestamp())}-{secrets.token_hex(8)}"
    try:
        with transaction.atomic():
            RoomPass.objects.create(call=call, identity=identity, role=RoomPass.Role.AGENT)
            return RoomAgent.objects.create(call=call, identity=identity, system_prompt=system_prompt, voice=voice)
    except IntegrityError as exc:
        raise AgentIsThere("An agent is in this room, or is on its way. Remove it first.") from exc


def agent_of(call: Call) -> RoomAgent | None:
    """The one that is there or expected, else the last that was."""
    agents = RoomAgent.objects.filter(call=call)
    return agents.exclude(status=Status.DISCONNECTED).first() or agents.order_by("-id").first()


def agent_seen(call: Call, *, identity: str, at: dt.datetime) -> bool:
    """An agent is in the room. True for whoever made it active; one that was given up before it came is put out."""
    with transaction.atomic():
        agents = _of(call, identity)
        if agents.filter(status=Status.PENDING).update(status=Status.ACTIVE, joined_at=at):
            return True
        given_up = agents.filter(identity=identity, status=Status.DISCONNECTED, joined_at=None).first()
        if given_up:
            promise_withdrawal(given_up)
    return False


def agent_gone(call: Call, *, identity: str, at: dt.datetime) -> bool:
    """It left for good: under its identity nobody is in the room any more. True for whoever wrote it down."""
    return bool(_gone(_of(call, identity), at))


def agents_gone_with(call_id: UUID, *, at: dt.datetime) -> bool:
    """The room closed or the call ended: whoever was there or expected is gone."""
    return bool(_gone(RoomAgent.objects.filter(call_id=call_id), at))


def agents_overdue(now: dt.datetime) -> QuerySet[RoomAgent]:
    """Those that should have come by now: for `agent_never_came`."""
    return RoomAgent.objects.filter(status=Status.PENDING, created_at__lte=now - JOINS_WITHIN)


def agent_never_came(agent: RoomAgent) -> bool:
    """Give it up, say so in the call's timeline, and keep it from coming late. False if it did come."""
    with transaction.atomic():
        is_ours = bool(_gone(RoomAgent.objects.filter(pk=agent.pk, status=Status.PENDING), timezone.now()))
        if is_ours:
            record_event(agent.call_id, "agent_never_joined", {"identity": agent.identity})
            promise_withdrawal(agent)
    if is_ours:
        logger.warning("agent never joined", call_id=str(agent.call_id), identity=agent.identity)
    return is_ours


def agent_removed(agent: RoomAgent) -> bool:
    """Nobody expects it or speaks with it any more. True for whoever wrote it down."""
    return bool(_gone(RoomAgent.objects.filter(pk=agent.pk), timezone.now()))


def change_agent_status(agent: RoomAgent, status: str) -> None:
    """As a client says. The same again changes nothing; raises StatusRefused for a step back."""
    now = timezone.now()
    earlier = [old for old, later in FORWARD.items() if status in later]
    moments = {Status.ACTIVE.value: {"joined_at": now}, Status.DISCONNECTED.value: {"disconnected_at": now}}
    candidates = RoomAgent.objects.filter(pk=agent.pk)
    if candidates.filter(status__in=earlier).update(status=status, **moments.get(status, {})):
        return
    agent.refresh_from_db(fields=["status"])
    if agent.status != status:
        raise StatusRefused(f"The agent is {agent.status}; that does not become {status} again.")


def promise_withdrawal(agent: RoomAgent) -> None:
    """In the caller's transaction: LiveKit will be asked to put this agent out, until it has answered."""
    body = {"roomName": agent.call.room_name, "agentIdentity": agent.identity}
    waiting = OutboxMessage.objects.filter(topic=WITHDRAW_TOPIC, key=agent.identity, state=OutboxMessage.State.WAITING)
    if not waiting.filter(attempts=0).exists():
        emit(WITHDRAW_TOPIC, key=agent.identity, body=body, organization=agent.call.organization)


def _of(call: Call, identity: str) -> QuerySet[RoomAgent]:
    """The row of this identity. A worker that ignores the identity it was given is the agent that is expected."""
    known = RoomAgent.objects.filter(call=call, identity=identity)
    if known.exists():
        return known
    return RoomAgent.objects.filter(call=call)


def _gone(agents: QuerySet[RoomAgent], at: dt.datetime) -> int:
    return agents.exclude(status=Status.DISCONNECTED).update(status=Status.DISCONNECTED, disconnected_at=at)

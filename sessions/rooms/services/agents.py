"""Agents in rooms: expected, there, gone. Their status follows from who is in the room, by guarded updates.

One that was removed, was given up or says itself that it has gone is withdrawn: it is not expected any more.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from sessions.calls.models import Call
from sessions.calls.services import record_event
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.realtime.services.instructions import default_persona
from sessions.rooms.models import RoomAgent, RoomToken
from sessions.rooms.queries import CLOCKS_DIFFER_BY
from voiceapp.core.errors import ApplicationError
from voiceapp.providers.livekit.client import AgentRequest

logger = structlog.get_logger("room_agents")

Status = RoomAgent.Status

# A worker that has to start first takes about 8 s to be there and 2 s to join (livekit-agents); LiveKit offers a
# dispatch to the current workers only, so one that has not joined by now never will. Rooms are looked at every
# five seconds (telephony/livekit/reconciliation.py), so that it is given up within 30.
JOINS_WITHIN = dt.timedelta(seconds=25)
# Spec 003's default, of a call without a published agent.
DEFAULT_VOICE = "alloy"
# The handler removes the agent from LiveKit: sessions/rooms/services/dispatches.py.
WITHDRAW_TOPIC = "room_agent.withdraw"
FORWARD = {
    Status.PENDING: (Status.ACTIVE, Status.DISCONNECTED),
    Status.ACTIVE: (Status.DISCONNECTED,),
    Status.DISCONNECTED: (),
}


class AgentIsThere(ApplicationError):
    """A call has one agent at a time."""

    message = "An agent is in this room, or is on its way. Remove it first."


class StatusRefused(ApplicationError):
    """An agent's status does not go back."""

    def __init__(self, current: str, wanted: str) -> None:
        super().__init__(f"The agent is {current}; that does not become {wanted} again.")


def agent_expected(call: Call, *, system_prompt: str, voice: str) -> RoomAgent:
    """Save the request for an agent before it goes to LiveKit; without a voice it has the published agent's.

    Raises AgentIsThere.
    """
    voice = voice or _published_voice(call)
    try:
        with transaction.atomic():
            identity = identity_of(call, number=call.room_agents.count() + 1)
            RoomToken.objects.create(call=call, identity=identity, role=RoomToken.Role.AGENT)
            return RoomAgent.objects.create(call=call, identity=identity, system_prompt=system_prompt, voice=voice)
    except IntegrityError as exc:
        raise AgentIsThere from exc


def _published_voice(call: Call) -> str:
    persona = call.agent_version or default_persona(call.organization_id)
    return persona.spoken_greeting.voice if persona else DEFAULT_VOICE


def identity_of(call: Call, *, number: int) -> str:
    """Of a call's first, second, … agent in this environment. Always the same: LiveKit lets one of an identity in."""
    digest = hashlib.sha256(f"{settings.ENVIRONMENT} {call.pk} {number}".encode()).hexdigest()
    return f"ai-agent-{int(call.created_at.timestamp())}-{digest[:16]}"


def claim_agent(identity: str, *, job_id: str) -> bool:
    """A worker's job takes the agent before it joins. False if another job has it, or if it is not wanted any more.

    LiveKit may send two jobs for one agent: a dispatch is not idempotent, and a late one may come after all.
    """
    wanted = RoomAgent.objects.filter(identity=identity, is_withdrawn=False, call__in=Call.objects.live())
    return bool(wanted.filter(job_id__in=("", job_id)).update(job_id=job_id))


def agent_request(agent: RoomAgent) -> AgentRequest:
    """The request to LiveKit, with the room or afterwards. The worker reads the rest by the call's id."""
    metadata = json.dumps({"callId": str(agent.call_id), "agentIdentity": agent.identity})
    return AgentRequest(agent_name=settings.LIVEKIT_AGENT_NAME, metadata=metadata)


def agent_of(call: Call) -> RoomAgent | None:
    """The one that is there or expected, else the last that was."""
    agents = call.room_agents
    return agents.exclude(status=Status.DISCONNECTED).first() or agents.order_by("-id").first()


def agent_seen(call: Call, *, identity: str, at: dt.datetime) -> bool:
    """The agent of this identity is in the room. True if that made it active; one that is not wanted is put out.

    It may have been there before, under another `sid`. Who has none of the expected identities is no agent.
    """
    with transaction.atomic():
        known = RoomAgent.objects.filter(call=call, identity=identity)
        # A track's event, which has no time of joining, may have been the first to arrive.
        known.filter(status=Status.ACTIVE, joined_at__gt=at).update(joined_at=at)
        agent = known.exclude(status=Status.ACTIVE).first()
        if agent is None:
            return False
        others = RoomAgent.objects.present().filter(call=call).exclude(pk=agent.pk)
        if agent.is_withdrawn or others.exists():
            enqueue_withdrawal(agent)
            return False
        mine = RoomAgent.objects.filter(pk=agent.pk, status=agent.status, is_withdrawn=False)
        return bool(mine.update(status=Status.ACTIVE, joined_at=agent.joined_at or at, disconnected_at=None))


def agent_gone(call: Call, *, identity: str, at: dt.datetime) -> bool:
    """It left for good: its identity is not in the room any more. True for the caller that saved it."""
    return bool(_gone(RoomAgent.objects.filter(call=call, identity=identity), at))


def agents_not_listed(call: Call, identities: Collection[str], *, at: dt.datetime) -> bool:
    """LiveKit's list of `at` has agents of these identities and no others: those that say they are there have gone."""
    absent = RoomAgent.objects.filter(call=call, status=Status.ACTIVE, joined_at__lt=at - CLOCKS_DIFFER_BY)
    return bool(_gone(absent.exclude(identity__in=identities), at))


def agents_gone_with(call_id: UUID, *, at: dt.datetime) -> bool:
    """The room closed or the call ended: present and expected agents are gone."""
    return bool(_gone(RoomAgent.objects.filter(call_id=call_id), at))


def agents_overdue(now: dt.datetime) -> QuerySet[RoomAgent]:
    """Those that should have come by now: for `agent_never_came`."""
    return agents_pending_since(now - JOINS_WITHIN)


def agents_pending_since(time: dt.datetime) -> QuerySet[RoomAgent]:
    """Those that were requested by then, first or in the place of one that was lost, and have not come."""
    pending = RoomAgent.objects.filter(status=Status.PENDING)
    return pending.annotate(requested_at=Coalesce("replaced_at", "created_at")).filter(requested_at__lte=time)


def agent_never_came(agent: RoomAgent) -> bool:
    """Give it up, say so in the call's timeline, and keep it from coming late. False if it did come."""
    with transaction.atomic():
        pending = RoomAgent.objects.filter(pk=agent.pk, status=Status.PENDING)
        is_ours = bool(_gone(pending, timezone.now(), is_withdrawn=True))
        if is_ours:
            RoomAgent.objects.filter(pk=agent.pk).update(never_joined=True)
            record_event(agent.call_id, "agent_never_joined", {"identity": agent.identity})
            enqueue_withdrawal(agent)
    if is_ours:
        logger.warning("agent never joined", call_id=str(agent.call_id), identity=agent.identity)
    return is_ours


def agent_removed(agent: RoomAgent) -> bool:
    """It is neither expected nor needed any more. True for the caller that saved it."""
    removed = RoomAgent.objects.filter(pk=agent.pk)
    is_ours = bool(_gone(removed, timezone.now(), is_withdrawn=True))
    removed.update(is_withdrawn=True)
    return is_ours


def change_agent_status(agent: RoomAgent, status: str) -> None:
    """As a client says. The same again changes nothing; raises StatusRefused for a step back."""
    now = timezone.now()
    earlier = [old for old, later in FORWARD.items() if status in later]
    timestamps: dict[str, dict[str, Any]] = {
        Status.ACTIVE.value: {"joined_at": now},
        Status.DISCONNECTED.value: {"disconnected_at": now, "is_withdrawn": True},
    }
    candidates = RoomAgent.objects.filter(pk=agent.pk)
    if candidates.filter(status__in=earlier).update(status=status, **timestamps.get(status, {})):
        return
    agent.refresh_from_db(fields=["status"])
    if agent.status != status:
        raise StatusRefused(agent.status, status)


def enqueue_withdrawal(agent: RoomAgent) -> None:
    """In the caller's transaction: LiveKit removes this agent, with retries until it has responded."""
    body = {"roomName": agent.call.room_name, "agentIdentity": agent.identity}
    waiting = OutboxMessage.objects.filter(
        topic=WITHDRAW_TOPIC, partition_key=agent.identity, state=OutboxMessage.State.WAITING
    )
    if not waiting.filter(attempts=0).exists():
        outbox.enqueue(WITHDRAW_TOPIC, partition_key=agent.identity, body=body, organization=agent.call.organization)


def _gone(agents: QuerySet[RoomAgent], at: dt.datetime, *, is_withdrawn: bool = False) -> int:
    withdrawn = {"is_withdrawn": True} if is_withdrawn else {}
    there = agents.exclude(status=Status.DISCONNECTED)
    return there.update(status=Status.DISCONNECTED, disconnected_at=at, **withdrawn)

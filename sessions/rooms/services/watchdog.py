"""Agents that do not come, and agents that are lost: another worker is requested once, and the call ends without one.

Both get the identity of the agent in whose place they come, so that LiveKit never lets two of them in.
"""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallType
from sessions.calls.services import record_event
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.rooms.models import Participant, RoomAgent
from voiceapp.core.transactions import release_connections
from voiceapp.providers.livekit.client import LiveKitClient

from .agents import agent_never_came, agents_overdue, agents_pending_since
from .calls import end_room_call
from .dispatches import dispatch_agent, identity_in
from .room_state import enqueue_room_state

logger = structlog.get_logger("room_agents")

Status = RoomAgent.Status

# The handler requests the agent from LiveKit once more.
DISPATCH_TOPIC = "room_agent.dispatch"
# A worker that is there joins within 2 s (livekit-agents); on a machine with many calls at once it may take longer.
JOINS_SOON = dt.timedelta(seconds=10)
# Meanwhile the API may be used to request another agent, and the caller has read why.
ENDS_WITHOUT_AGENT_AFTER = dt.timedelta(seconds=30)


def agents_to_watch(now: dt.datetime) -> QuerySet[RoomAgent]:
    """Those whose call has to be looked at: for `watch_agents`."""
    failed = RoomAgent.objects.filter(status=Status.DISCONNECTED)
    failed = failed.filter(Q(never_joined=True) | Q(replaced_at__isnull=False, is_withdrawn=False))
    late = agents_pending_since(now - JOINS_SOON)
    return RoomAgent.objects.filter(Q(pk__in=late.values("pk")) | Q(pk__in=failed.values("pk")))


def watch_agents(call: Call, now: dt.datetime) -> None:
    """Request agents again that are late, give up those that are overdue, and end a call that has none left."""
    for agent in agents_overdue(now).filter(call=call):
        with transaction.atomic():
            if agent_never_came(agent):
                enqueue_room_state(call)
    _request_late_agents_again(call, now)
    _end_call_without_agent(call, now)


def _request_late_agents_again(call: Call, now: dt.datetime) -> None:
    """Those that should have come by now: LiveKit offers a dispatch to the workers of its time only."""
    for agent in agents_pending_since(now - JOINS_SOON).filter(call=call, tries=1):
        with transaction.atomic():
            first = RoomAgent.objects.filter(pk=agent.pk, status=Status.PENDING, tries=1)
            if first.update(tries=2, dispatch_id="", job_id=""):
                record_event(call.pk, "agent_requested_again", {"identity": agent.identity})
                enqueue_room_state(call)
                _enqueue(agent)


def replace_lost_agent(call: Call) -> None:
    """In the caller's transaction: another worker takes the place of an agent that left a call which goes on."""
    agent = _lost_agents().filter(call=call).first()
    if agent is None or not _people(call).exists():
        return
    if agent.has_failed:
        enqueue_room_state(call)
    else:
        _enqueue(agent)


def bring_agent(message: OutboxMessage) -> None:
    """Request the agent of an enqueued dispatch unless it is there by now. Raises LiveKitError: retry."""
    agent = RoomAgent.objects.select_related("call").filter(identity=message.body["agentIdentity"]).first()
    if agent is None or not agent.call.is_live:
        return
    room, client = str(agent.call.room_name), LiveKitClient.from_settings()
    release_connections()
    if any(each.identity == agent.identity for each in client.list_participants(room)):
        return
    if _replaces(agent) or RoomAgent.objects.filter(pk=agent.pk, status=Status.PENDING, dispatch_id="").exists():
        _withdraw_dispatches(client, agent)
        dispatch_agent(agent, client)


def _end_call_without_agent(call: Call, now: dt.datetime) -> None:
    """A person with an agent, and the agent did not come or was lost twice: after a while there is nothing to wait for.

    Calls between people go on without it.
    """
    if call.call_type != CallType.SUPPORT or call.room_agents.exclude(status=Status.DISCONNECTED).exists():
        return
    agent = call.room_agents.order_by("-id").first()
    if agent is None or not agent.has_failed or _parties(call) > 1:
        return
    if agent.disconnected_at and agent.disconnected_at <= now - ENDS_WITHOUT_AGENT_AFTER:
        end_room_call(call, reason=EndReason.AGENT_LOST if agent.replaced_at else EndReason.AGENT_NEVER_JOINED)


def _lost_agents() -> QuerySet[RoomAgent]:
    """That were there, left by themselves, and have no successor."""
    left = RoomAgent.objects.filter(status=Status.DISCONNECTED, is_withdrawn=False, joined_at__isnull=False)
    return left.filter(call__in=Call.objects.live()).exclude(call__in=RoomAgent.objects.present().values("call"))


def _replaces(agent: RoomAgent) -> bool:
    """Expect another worker in the place of this agent. True for the caller that saved it."""
    with transaction.atomic():
        lost = _lost_agents().filter(pk=agent.pk, replaced_at=None)
        is_ours = lost.update(
            status=Status.PENDING, replaced_at=timezone.now(), tries=1, joined_at=None, dispatch_id="", job_id=""
        )
        if is_ours:
            record_event(agent.call_id, "agent_replaced", {"identity": agent.identity})
            enqueue_room_state(agent.call)
    if is_ours:
        logger.warning("agent lost", call_id=str(agent.call_id), identity=agent.identity)
    return bool(is_ours)


def _withdraw_dispatches(client: LiveKitClient, agent: RoomAgent) -> None:
    release_connections()
    room = str(agent.call.room_name)
    for dispatch in client.list_dispatches(room):
        if identity_in(dispatch) == agent.identity:
            client.delete_dispatch(room, dispatch.id)


def _enqueue(agent: RoomAgent) -> None:
    waiting = OutboxMessage.objects.filter(
        topic=DISPATCH_TOPIC, partition_key=agent.identity, state=OutboxMessage.State.WAITING
    )
    if not waiting.filter(attempts=0).exists():
        body = {"callId": str(agent.call_id), "agentIdentity": agent.identity}
        outbox.enqueue(DISPATCH_TOPIC, partition_key=agent.identity, body=body, organization=agent.call.organization)


def _parties(call: Call) -> int:
    return _people(call).values("identity").distinct().count()


def _people(call: Call) -> QuerySet[Participant]:
    return call.participants.filter(kind=Participant.Kind.PERSON, joined_at__isnull=False, left_at__isnull=True)

"""The call of a browser's dialer: begun at once, or not at all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agents.configuration.models import Agent
from agents.organizations.models import Organization
from sessions.calls.models import CARRIED, Call, CallKind, CallState
from sessions.calls.services import LEASE, live_calls_of, record_event
from telephony.twilio.services.admission import CALLS_AT_ONCE_PER_CALLER, default_agent
from voiceapp.core.metrics import calls_refused
from voiceapp.core.serving import process_name
from voiceapp.core.transactions import serialize

from .handshake import Caller, SocketRefused, caller_of

FULL = "All lines are busy. Call again in a few minutes."
NO_AGENT = "No agent of the organization is its default. Choose one in the admin, then call again."
NOT_PUBLISHED = "The agent is not published. Publish it in the admin, then call again."
PAUSED = "The agent is paused. Let it answer again in the admin, then call."
TWO_CALLS = "You have two calls already. End one of them, then call again."


def begin_call(handshake: dict[str, Any], slug: str, *, has_place: bool) -> UUID:
    """The id of the new call of whoever opened the socket, which this process carries. Raises SocketRefused.

    Opening hours are not asked: the agent knows them, and whoever tries it out need not wait for them.
    """
    caller = caller_of(handshake, slug)
    if not has_place:
        raise _full("server")
    organization = caller.organization
    agent = _answering(default_agent(organization))
    now = timezone.now()
    with transaction.atomic():
        serialize(f"telephony.organization:{organization.id}", f"telephony.caller:{caller.subject}")
        _check_limits(organization, caller)
        call = Call.objects.create(
            organization=organization,
            owner=caller.subject,
            agent=agent,
            agent_version=agent.published_version,
            kind=CallKind.BROWSER,
            state=CallState.CONNECTED,
            connected_at=now,
            process=process_name(),
            lease_expires_at=now + LEASE,
        )
        record_event(call.id, "connected", {"line": "dialer"})
    return call.id


def _answering(agent: Agent | None) -> Agent:
    if agent is None:
        raise SocketRefused("refused", NO_AGENT)
    if agent.published_version is None:
        raise SocketRefused("refused", NOT_PUBLISHED)
    if agent.is_paused:
        raise SocketRefused("refused", PAUSED)
    return agent


def _check_limits(organization: Organization, caller: Caller) -> None:
    if live_calls_of(organization) >= organization.max_live_calls:
        raise _full("organization")
    live = Call.objects.live().filter(kind__in=CARRIED)
    if live.filter(process=process_name()).count() >= settings.MAX_LIVE_CALLS:
        raise _full("server")
    if live.filter(organization=organization, owner=caller.subject).count() >= CALLS_AT_ONCE_PER_CALLER:
        calls_refused.labels("caller").inc()
        raise SocketRefused("refused", TWO_CALLS)


def _full(limit: str) -> SocketRefused:
    calls_refused.labels(limit).inc()
    return SocketRefused("refused", FULL)

"""A call of the page's own: of the organization's default agent, within the limits of live calls."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext

from agents.configuration.models import Agent, Persona
from agents.organizations.models import Organization
from sessions.calls.feeds import announce_calls
from sessions.calls.models import CARRIED, Call, CallKind
from sessions.calls.services import live_calls_of
from telephony.twilio.services.admission import CALLS_AT_ONCE_PER_CALLER, default_agent
from voiceapp.core.errors import ApplicationError
from voiceapp.core.metrics import calls_refused
from voiceapp.core.serving import process_name
from voiceapp.core.transactions import serialize

from .access import Caller


class NoPageCall(ApplicationError):
    """Why there is no call, and what to do."""


def open_page_call(caller: Caller, *, wants_recording: bool = False, **fields: Any) -> Call:
    """Opening hours are not asked: the agent knows them, and whoever tries it out need not wait for them.

    `wants_recording`: the caller agrees that the page records the call, which it does if the agent's calls are recorded
    by this server. Raises NoPageCall.
    """
    organization, subject = caller.organization, caller.principal.subject
    agent = _answering(organization)
    with transaction.atomic():
        serialize(f"telephony.organization:{organization.id}", f"telephony.caller:{subject}")
        _check_limits(organization, subject)
        call = Call.objects.create(
            organization=organization,
            owner=subject,
            agent=agent,
            agent_version=agent.published_version,
            kind=CallKind.BROWSER,
            is_recording_wanted=wants_recording and may_be_recorded(agent),
            **fields,
        )
        announce_calls(organization.id, call.pk)
        return call


def may_be_recorded(agent: Agent) -> bool:
    """By the caller's page, if the caller agrees."""
    version = agent.published_version
    return version is not None and version.recording == Persona.RecordedBy.BRIDGE


def _answering(organization: Organization) -> Agent:
    agent = default_agent(organization)
    if agent is None:
        raise NoPageCall(
            gettext("No agent of the organization is its default. Choose one in the admin, then call again.")
        )
    if agent.published_version is None:
        raise NoPageCall(gettext("The agent is not published. Publish it in the admin, then call again."))
    if agent.is_paused:
        raise NoPageCall(gettext("The agent is paused. Let it answer again in the admin, then call."))
    return agent


def _check_limits(organization: Organization, subject: str) -> None:
    live = Call.objects.live().filter(kind__in=CARRIED)
    if live_calls_of(organization) >= organization.max_live_calls:
        raise _full("organization", gettext("All lines are busy. Call again in a few minutes."))
    if live.filter(process=process_name()).count() >= settings.MAX_LIVE_CALLS:
        raise _full("server", gettext("All lines are busy. Call again in a few minutes."))
    if live.filter(organization=organization, owner=subject).count() >= CALLS_AT_ONCE_PER_CALLER:
        raise _full("caller", gettext("You have two calls already. End one of them, then call again."))


def _full(limit: str, message: str) -> NoPageCall:
    calls_refused.labels(limit).inc()
    return NoPageCall(message)

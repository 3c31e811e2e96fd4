"""An organization's configuration as a bridge without a database reads it (docs/reference/internal-api.md)."""

from __future__ import annotations

import datetime as dt

from agents.catalog.queries import load_catalog, load_services
from agents.configuration.models import Agent
from agents.hours.queries import load_schedule
from agents.hours.schedule import hours_sentence
from agents.organizations.models import Organization
from sessions.orders.services.transfer_targets import people_of

from .briefing import brief_agent
from .serializers import AgentConfiguration, OrganizationConfiguration


def load_configuration(organization: Organization, *, now: dt.datetime) -> OrganizationConfiguration:
    """With the published default agent fully briefed, the live menu and the transfer targets of now."""
    schedule = load_schedule(organization)
    return OrganizationConfiguration(
        organization=organization,
        is_open=schedule.is_open_at(now),
        hours=hours_sentence(schedule, now),
        agent=_agent(organization, now),
        menu=[
            {"category": category, "items": items}
            for category, items in load_catalog(organization.pk, now).categories().items()
        ],
        services=load_services(organization.pk).offers,
        transfer_targets=people_of(organization, now=now),
    )


def _agent(organization: Organization, now: dt.datetime) -> AgentConfiguration | None:
    published = Agent.objects.filter(organization=organization, is_default=True, published_version__isnull=False)
    agent = published.select_related("published_version").first()
    if agent is None or agent.published_version is None:
        return None
    briefing = brief_agent(agent.published_version, organization, call_id="", now=now, has_keys=False)
    return AgentConfiguration(agent, agent.published_version.number, briefing)

"""Whether a phone number leads to an agent: the checklist's part that needs phone numbers."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext

from agents.configuration.models import Agent
from agents.configuration.readiness import Check, Level

from .models import PhoneNumber


def check_number(agent: Agent) -> Check:
    """An active number that names the agent, or names none where the agent is the default."""
    mine = Q(agent=agent) | Q(agent__isnull=True) if agent.is_default else Q(agent=agent)
    numbers = PhoneNumber.objects.filter(organization=agent.organization_id)
    active = numbers.filter(mine, is_active=True).first()
    if active is not None:
        return Check(
            gettext("Phone number"), Level.GOOD, gettext("%(active)s reaches this agent.") % {"active": active}, active
        )
    inactive = numbers.filter(mine).first()
    if inactive is not None:
        return Check(
            gettext("Phone number"),
            Level.DOUBTFUL,
            gettext("%(inactive)s is inactive.") % {"inactive": inactive},
            inactive,
            "is_active",
        )
    return Check(
        gettext("Phone number"),
        Level.DOUBTFUL,
        gettext("No phone number reaches this agent: nobody can call it."),
        PhoneNumber,
    )

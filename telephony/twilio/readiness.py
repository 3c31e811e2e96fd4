"""Whether a phone number leads to an agent: the checklist's part that needs phone numbers."""

from __future__ import annotations

from django.db.models import Q

from agents.configuration.models import Agent
from agents.configuration.readiness import Check, Level

from .models import PhoneNumber


def check_number(agent: Agent) -> Check:
    """An active number that names the agent, or names none where the agent is the default."""
    mine = Q(agent=agent) | Q(agent__isnull=True) if agent.is_default else Q(agent=agent)
    numbers = PhoneNumber.objects.filter(organization=agent.organization_id)
    active = numbers.filter(mine, is_active=True).first()
    if active is not None:
        return Check("Phone number", Level.GOOD, f"{active} reaches this agent.", active)
    inactive = numbers.filter(mine).first()
    if inactive is not None:
        return Check("Phone number", Level.DOUBTFUL, f"{inactive} is inactive.", inactive, "is_active")
    return Check("Phone number", Level.DOUBTFUL, "No phone number reaches this agent: nobody can call it.", PhoneNumber)

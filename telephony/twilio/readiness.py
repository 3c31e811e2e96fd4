"""Whether a phone number leads to an agent: the part of the list before publishing that needs the phone line."""

from __future__ import annotations

from django.db.models import Q

from agents.configuration.models import Agent
from agents.configuration.readiness import Check, Level

from .models import PhoneNumber


def check_number(agent: Agent) -> Check:
    """An active number that names the agent, or names none where the agent is the default."""
    mine = Q(agent=agent) | Q(agent__isnull=True) if agent.is_default else Q(agent=agent)
    numbers = PhoneNumber.objects.filter(organization=agent.organization_id)
    ringing = numbers.filter(mine, is_active=True).first()
    if ringing is not None:
        return Check("Phone number", Level.GOOD, f"{ringing} rings here.", ringing)
    off = numbers.filter(mine).first()
    if off is not None:
        return Check("Phone number", Level.DOUBTFUL, f"{off} is switched off.", off, "is_active")
    return Check("Phone number", Level.DOUBTFUL, "No phone number rings here: nobody can call it.", PhoneNumber)

"""What callers hear first: the greeting, behind the announcement of a recording where there is one."""

from __future__ import annotations

from dataclasses import replace

from agents.greetings.models import Greeting
from agents.organizations.models import Organization
from agents.privacy.models import PrivacySettings

from .models import Persona


def opening_of(persona: Persona, organization: Organization, *, is_recorded: bool | None = None) -> Greeting:
    """One query where the call is recorded, else none. Phone calls are as the agent says."""
    if not (persona.recording != Persona.RecordedBy.OFF if is_recorded is None else is_recorded):
        return persona.spoken_greeting
    return announced(persona.spoken_greeting, announcement_of(organization))


def announced(greeting: Greeting, announcement: str) -> Greeting:
    return replace(greeting, text=f"{announcement} {greeting.text}".strip()) if announcement else greeting


def announcement_of(organization: Organization) -> str:
    """Empty: calls are recorded without one."""
    found = PrivacySettings.objects.filter(organization=organization).values_list("announcement", flat=True).first()
    return (found or "").strip()

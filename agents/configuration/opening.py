"""What callers hear first: the greeting, behind the announcement of a recording where there is one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agents.greetings.models import Greeting
from agents.organizations.models import Organization
from agents.privacy.models import PrivacySettings

from .models import Persona


@dataclass(frozen=True, slots=True)
class Announcement:
    """What callers of a recorded call hear first, and the key with which they stop the recording. Empty: none."""

    text: str = ""
    stop_key: str = ""


def is_recorded_by_phone(persona: Persona) -> bool:
    """Whether phone calls of the agent are recorded, by whomever."""
    return persona.recording != Persona.RecordedBy.OFF


def opening_of(
    persona: Persona, organization: Organization, *, is_recorded: bool | None = None, has_keys: bool = True
) -> Greeting:
    """One query where the call is recorded, else none. Phone calls are as the agent says.

    `has_keys`: the caller can press keys, and we learn of it.
    """
    is_recorded = is_recorded_by_phone(persona) if is_recorded is None else is_recorded
    announcement = announcement_of(organization, has_keys=has_keys) if is_recorded else Announcement()
    return announced(persona.spoken_greeting, announcement)


def announced(greeting: Greeting, announcement: Announcement) -> Greeting:
    return replace(greeting, text=f"{announcement.text} {greeting.text}".strip()) if announcement.text else greeting


def announcement_of(organization: Organization, *, has_keys: bool = True) -> Announcement:
    """Empty: calls are recorded without one."""
    found = PrivacySettings.objects.filter(organization=organization)
    said = found.values_list("announcement", "stop_hint", "stop_key").first()
    if said is None:
        return Announcement()
    announcement, hint, key = said
    if not (has_keys and key):
        return Announcement(announcement.strip())
    return Announcement(f"{announcement.strip()} {hint.strip()}".strip(), stop_key=key)

"""Which organisation's line was rung, and who answers it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from agents.models import Agent, Organization
from telephony.models import PhoneNumber

SLUG = re.compile(r"[A-Za-z0-9_-]{1,50}")


@dataclass(frozen=True, slots=True)
class Line:
    """What was rung. `agrees` is False when the number dialled and the address name different organizations."""

    organization: Organization
    agent: Agent | None
    agrees: bool = True
    is_switched_off: bool = False


def find_line(*, dialled: str, org_id: str) -> Line | None:
    """The line by the number dialled, else by the organisation that the webhook's address names."""
    named = find_organization(org_id)
    number = (
        PhoneNumber.objects.select_related("organization", "agent__published_version").filter(number=dialled).first()
    )
    if number is None:
        return Line(named, default_agent(named)) if named else None
    organization = number.organization
    return Line(
        organization,
        number.agent or default_agent(organization),
        agrees=not org_id or named == organization,
        is_switched_off=not number.is_active,
    )


def find_organization(org_id: str) -> Organization | None:
    """By its id, or by its slug."""
    try:
        return Organization.objects.filter(id=UUID(org_id)).first()
    except ValueError:
        return Organization.objects.filter(slug=org_id).first() if SLUG.fullmatch(org_id) else None


def default_agent(organization: Organization) -> Agent | None:
    """Who answers where the number names nobody."""
    return organization.agents.select_related("published_version").filter(is_default=True).first()

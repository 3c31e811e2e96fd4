"""The instructions of a browser's voice session: the organization's own agent, or a template."""

from __future__ import annotations

import functools
from uuid import UUID

from django.template.loader import get_template

from agents.configuration.models import Agent, AgentVersion

TEMPLATE = "voice_instructions.txt"


def default_persona(organization_id: UUID | None) -> AgentVersion | None:
    """The published version of the organization's default agent."""
    if organization_id is None:
        return None
    agent = (
        Agent.objects.filter(organization_id=organization_id, is_default=True, published_version__isnull=False)
        .select_related("published_version")
        .first()
    )
    return agent.published_version if agent else None


def base_instructions(organization_id: UUID | None) -> str:
    """The prompt of the published default agent; without one, the template's text."""
    return instructions_of(default_persona(organization_id))


def instructions_of(persona: AgentVersion | None) -> str:
    return (persona.prompt.strip() if persona else "") or _template()


def with_custom(base: str, custom: str) -> str:
    """The custom text comes after the base, which goes first in the model's eyes."""
    custom = custom.strip()
    return f"{base}\n\n{custom}" if custom else base


@functools.cache
def _template() -> str:
    return get_template(TEMPLATE).render().strip()

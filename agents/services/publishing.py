"""Which version of an agent answers: publish and roll back."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max

from agents.models import Agent, AgentVersion, Persona
from voiceapp.lib.errors import ApplicationError


def publish_agent(agent: Agent, *, by: str, note: str = "") -> AgentVersion:
    """Copy the draft as it is in the database to the next version, which answers from now on."""
    with transaction.atomic():
        draft = Agent.objects.select_for_update().get(pk=agent.pk)
        newest = draft.versions.aggregate(newest=Max("number"))["newest"] or 0
        version = AgentVersion.objects.create(
            agent=draft,
            number=newest + 1,
            note=note,
            published_by=by,
            **{name: getattr(draft, name) for name in Persona.persona_fields()},
        )
        _point_at(agent, version)
    return version


def roll_back_agent(agent: Agent, *, number: int) -> AgentVersion:
    """Let an earlier version answer again. The draft stays as it is."""
    with transaction.atomic():
        version = AgentVersion.objects.filter(agent=agent, number=number).first()
        if version is None:
            raise ApplicationError(f"{agent} has no version {number}. Choose one of its published versions.")
        _point_at(agent, version)
    return version


def _point_at(agent: Agent, version: AgentVersion) -> None:
    Agent.objects.filter(pk=agent.pk).update(published_version=version)
    agent.published_version = version

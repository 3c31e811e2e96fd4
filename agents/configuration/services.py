"""Which version of an agent answers: publish and roll back."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext

from agents.greetings.services import keep_greeting
from agents.organizations.models import Organization
from voiceapp.core.errors import ApplicationError

from .models import Agent, AgentVersion, Persona
from .opening import opening_of


def publish_agent(agent: Agent, *, by: str, note: str = "") -> AgentVersion:
    """Copy the draft as it is in the database to the next version, which answers from now on.

    Raises ApplicationError for a draft that a provider would refuse.
    """
    with transaction.atomic():
        draft = Agent.objects.select_for_update().get(pk=agent.pk)
        _check(draft)
        newest = draft.versions.aggregate(newest=Max("number"))["newest"] or 0
        version = AgentVersion.objects.create(
            agent=draft,
            number=newest + 1,
            note=note,
            published_by=by,
            **{name: getattr(draft, name) for name in Persona.persona_fields()},
        )
        _point_at(agent, version)
        keep_greeting(draft.organization_id, opening_of(version, draft.organization))
    return version


def roll_back_agent(agent: Agent, *, number: int) -> AgentVersion:
    """Let an earlier version answer again. The draft stays as it is."""
    with transaction.atomic():
        version = AgentVersion.objects.filter(agent=agent, number=number).first()
        if version is None:
            raise ApplicationError(
                gettext("%(agent)s has no version %(number)s. Choose one of its published versions.")
                % {"agent": agent, "number": number}
            )
        _point_at(agent, version)
        keep_greeting(agent.organization_id, opening_of(version, agent.organization))
    return version


def keep_openings(organization: Organization) -> None:
    """After what is announced has changed: what callers of each published agent hear first is spoken anew."""
    for agent in Agent.objects.filter(organization=organization).exclude(published_version=None):
        if agent.published_version is not None:
            keep_greeting(organization.pk, opening_of(agent.published_version, organization))


def _check(draft: Agent) -> None:
    """A draft may be older than a rule of a provider's, or may have been written past the forms."""
    copied = Persona.persona_fields()
    before = {name: getattr(draft, name) for name in copied}
    try:
        draft.clean_fields(exclude={field.name for field in draft._meta.get_fields() if field.name not in copied})
    except ValidationError as exc:
        faults = [f"{name.replace('_', ' ')}: {' '.join(words)}" for name, words in exc.message_dict.items()]
        raise ApplicationError(
            gettext("%(draft)s cannot be published. %(faults)s") % {"draft": draft, "faults": " ".join(faults)}
        ) from exc
    changed = [name for name in copied if getattr(draft, name) != before[name]]
    if changed:
        draft.save(update_fields=changed)


def _point_at(agent: Agent, version: AgentVersion) -> None:
    Agent.objects.filter(pk=agent.pk).update(published_version=version)
    agent.published_version = version

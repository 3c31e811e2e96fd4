"""Writes of agents and menus: publish and roll back, take out and bring back."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Case, F, Max, PositiveIntegerField, Value, When

from agents.models import Agent, AgentVersion, Item, Modifier, Persona, Size
from voiceapp.lib.errors import ApplicationError

Sellable = Item | Size | Modifier


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


def take_out(sellable: Sellable, *, until: dt.datetime | None = None) -> None:
    """Not sold from now on: until that moment, or until somebody brings it back. Calls under way notice."""
    type(sellable)._default_manager.filter(pk=sellable.pk).update(is_out=until is None, out_until=until)
    sellable.refresh_from_db(fields=["is_out", "out_until"])


def bring_back(sellable: Sellable) -> None:
    """Sold again. A count that had reached zero is no longer counted."""
    type(sellable)._default_manager.filter(pk=sellable.pk).update(
        is_out=False,
        out_until=None,
        count_left=Case(
            When(count_left=0, then=Value(None)), default=F("count_left"), output_field=PositiveIntegerField(null=True)
        ),
    )
    sellable.refresh_from_db(fields=["is_out", "out_until", "count_left"])


def count_left(sellable: Sellable, *, left: int | None) -> None:
    """Say how many are left; every order lowers it. None: not counted any more."""
    if left is not None and left < 0:
        raise ApplicationError("The number left cannot be negative.")
    type(sellable)._default_manager.filter(pk=sellable.pk).update(count_left=left)
    sellable.refresh_from_db(fields=["count_left"])


def _point_at(agent: Agent, version: AgentVersion) -> None:
    Agent.objects.filter(pk=agent.pk).update(published_version=version)
    agent.published_version = version

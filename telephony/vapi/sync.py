"""Keep VAPI's assistants in step with the published agents. What was changed at VAPI by hand is never lost unseen."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from agents.configuration.models import Agent
from voiceapp.core.errors import ApplicationError
from voiceapp.providers.vapi.client import VapiAssistant, VapiClient, VapiError, VapiErrorKind

from .assistants import stored_assistant
from .comparison import Difference, Flat, Origin, differences, flatten, merged
from .models import SyncedAssistant

logger = structlog.get_logger("vapi")

PROVIDER = "vapi"
# Two who synchronize at once would create an assistant each.
CLAIMED_FOR = dt.timedelta(seconds=60)


class Action(enum.StrEnum):
    """What a synchronization does with an assistant."""

    CREATE = "create"
    UPDATE = "update"
    NOTHING = "in step"
    CHANGED_BY_HAND = "changed at VAPI by hand"
    DELETED = "deleted at VAPI"


@dataclass(frozen=True, slots=True)
class Plan:
    """Compared just now. `ours` are our fields, `theirs` VAPI's whole assistant, if there is one."""

    agent: Agent
    assistant_id: str
    differences: tuple[Difference, ...]
    ours: Mapping[str, Any] = field(repr=False)
    theirs: Mapping[str, Any] | None = field(repr=False)
    synced_at: dt.datetime | None = None  # when it was last written, as of the comparison

    @property
    def action(self) -> Action:
        if self.theirs is None:
            return Action.DELETED if self.assistant_id else Action.CREATE
        origins = {each.origin for each in self.differences}
        if not origins:
            return Action.NOTHING
        return Action.UPDATE if Origin.OURS in origins else Action.CHANGED_BY_HAND

    @property
    def digest(self) -> str:
        """The same until something changes: what a person has seen is what is applied."""
        seen = [self.assistant_id, self.action, *((each.path, each.ours, each.theirs) for each in self.differences)]
        return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:32]

    @property
    def by_hand(self) -> tuple[Difference, ...]:
        """Kept as they are at VAPI, unless they are overwritten on purpose."""
        return tuple(each for each in self.differences if each.origin is not Origin.OURS)


def agents_at_vapi() -> QuerySet[Agent]:
    """The published agents whose calls VAPI answers, or may answer if the other provider does not.

    An assistant that an agent names itself is its operator's: it may be another agent's, and is left alone.
    """
    at_vapi = Q(published_version__provider=PROVIDER) | Q(published_version__fails_over=True)
    rows = Agent.objects.filter(at_vapi, published_version__isnull=False, vapi_assistant_id="")
    return rows.select_related("organization", "published_version", "vapi_assistant").order_by("organization", "name")


def plan_sync(agents: Iterable[Agent], client: VapiClient) -> list[Plan]:
    """Compare each agent with its assistant; changes nothing. Raises VapiError."""
    agents = list(agents)
    ours_at_vapi: dict[str, VapiAssistant] = {}
    if any(not _row(agent).assistant_id for agent in agents):
        # Written to VAPI, and the process died before that was noted.
        for each in client.list_assistants():
            metadata = each.fields.get("metadata")
            if isinstance(metadata, Mapping) and metadata.get("agentId"):
                ours_at_vapi.setdefault(str(metadata["agentId"]), each)
    return [_plan(agent, client, ours_at_vapi.get(str(agent.pk))) for agent in agents]


def apply_plan(plan: Plan, client: VapiClient, *, by: str, overwrite: bool = False) -> Action:
    """Write what we changed, and with `overwrite` also over what was changed at VAPI. What was done.

    Raises VapiError, and ApplicationError where somebody else is doing the same.
    """
    row = _claimed(plan.agent)
    try:
        if row.synced_at != plan.synced_at:
            raise ApplicationError(
                gettext("The assistant of %(agent)s has changed meanwhile. Compare again.") % {"agent": plan.agent}
            )
        action = plan.action
        if action is Action.CREATE or (action is Action.DELETED and overwrite):
            created = client.create_assistant(plan.ours)
            _note(row, plan, created, list(flatten(plan.ours)), by=by)
            return Action.CREATE
        if action is Action.DELETED or plan.theirs is None:
            return action
        chosen = [each.path for each in plan.differences if overwrite or each.origin is Origin.OURS]
        if not chosen:
            # Adopted as it is, where nothing has been written yet.
            _note(row, plan, VapiAssistant(plan.assistant_id, "", plan.theirs), [], by=by)
            return action
        body = merged({path: _value(plan.ours, path) for path in chosen}, plan.theirs)
        updated = client.update_assistant(plan.assistant_id, body)
        _note(row, plan, updated, chosen, by=by)
        return Action.UPDATE
    finally:
        SyncedAssistant.objects.filter(pk=row.pk).update(claimed_until=None)


def _plan(agent: Agent, client: VapiClient, found: VapiAssistant | None) -> Plan:
    version = agent.published_version
    if version is None:
        raise ApplicationError(gettext("%(agent)s is not published.") % {"agent": agent})
    row, ours = _row(agent), stored_assistant(agent, version)
    assistant_id = row.assistant_id or (found.id if found else "")
    theirs = found
    if assistant_id and found is None:
        try:
            theirs = client.get_assistant(assistant_id)
        except VapiError as error:
            if error.kind is not VapiErrorKind.NOT_FOUND:
                raise
    compared: tuple[Difference, ...] = ()
    if theirs is not None:
        compared = differences(ours=flatten(ours), theirs=flatten(theirs.fields), sent=row.sent, returned=row.returned)
    return Plan(agent, assistant_id, compared, ours, theirs.fields if theirs else None, row.synced_at)


def _row(agent: Agent) -> SyncedAssistant:
    return SyncedAssistant.objects.filter(agent=agent).first() or SyncedAssistant(agent=agent)


def _claimed(agent: Agent) -> SyncedAssistant:
    now = timezone.now()
    row, _ = SyncedAssistant.objects.get_or_create(agent=agent)
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    if not SyncedAssistant.objects.filter(free, pk=row.pk).update(claimed_until=now + CLAIMED_FOR):
        raise ApplicationError(
            gettext("%(agent)s is being synchronized by somebody else. Try again in a minute.") % {"agent": agent}
        )
    row.refresh_from_db()
    return row


def _note(row: SyncedAssistant, plan: Plan, at_vapi: VapiAssistant, written: list[str], *, by: str) -> None:
    """What was changed at VAPI and left there keeps its old values here, so that it is shown again."""
    ours, theirs = flatten(plan.ours), flatten(at_vapi.fields)
    left = {each.path for each in plan.differences} - set(written)
    row.assistant_id = at_vapi.id
    row.sent = {path: value for path, value in ours.items() if path not in left} | _of(row.sent, left)
    row.returned = {path: theirs.get(path) for path in ours if path not in left} | _of(row.returned, left)
    row.version = plan.agent.published_version.number if plan.agent.published_version else None
    row.synced_at, row.synced_by = timezone.now(), by[:150]
    row.save()
    logger.info("assistant synchronized", agent_id=plan.agent.pk, assistant_id=at_vapi.id, written=written)


def _of(flat: Flat, paths: set[str]) -> Flat:
    return {path: value for path, value in flat.items() if path in paths}


def _value(fields: Mapping[str, Any], path: str) -> Any:
    name, _, key = path.partition(".")
    return fields[name][key] if key else fields[name]

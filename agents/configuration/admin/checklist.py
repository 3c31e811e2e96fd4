"""The checklist before publishing, each entry with a link to the page where it is set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from agents.configuration.models import Agent
from agents.configuration.readiness import Check, Level, checks_of

# Icon, color, and a label for screen readers.
MARKS: Mapping[Level, tuple[str, str, StrOrPromise]] = {
    Level.GOOD: ("check_circle", "success", "OK"),
    Level.DOUBTFUL: ("warning", "warning", _("Check this")),
    Level.USELESS: ("cancel", "danger", _("Problem")),
}


@dataclass(frozen=True, slots=True)
class ListedCheck:
    """An entry as the page shows it."""

    name: str
    text: str
    url: str
    icon: str
    color: str
    level_label: StrOrPromise

    @property
    def is_good(self) -> bool:
        return self.color == MARKS[Level.GOOD][1]


def checklist_of(agent: Agent) -> list[ListedCheck]:
    """The entries for the saved agent."""
    return [
        ListedCheck(check.name, check.text, url_of(check, agent), *MARKS[check.level]) for check in checks_of(agent)
    ]


def url_of(check: Check, agent: Agent) -> str:
    """The row's page at the field, or the page of a new row of the agent's organization."""
    meta = check.target._meta
    route = f"admin:{meta.app_label}_{meta.model_name}"
    if isinstance(check.target, models.Model):
        is_whole = check.field.endswith("-group") or check.field == "findings"
        anchor = check.field if is_whole else f"id_{check.field}"
        return reverse(f"{route}_change", args=(check.target.pk,)) + (f"#{anchor}" if check.field else "")
    return f"{reverse(f'{route}_add')}?{urlencode({'organization': str(agent.organization_id)})}"

"""The list before publishing, with a link to where each thing is mended."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db import models
from django.urls import reverse

from agents.configuration.models import Agent
from agents.configuration.readiness import Check, Level, checks_of

# What is drawn beside a line: icon, color, and the words for those who do not see it.
DRAWN = {
    Level.GOOD: ("check_circle", "success", "Good"),
    Level.DOUBTFUL: ("warning", "warning", "Check this"),
    Level.USELESS: ("cancel", "danger", "Does not work"),
}


@dataclass(frozen=True, slots=True)
class ListedCheck:
    """A line as the page draws it."""

    name: str
    words: str
    url: str
    icon: str
    color: str
    level_words: str

    @property
    def is_good(self) -> bool:
        return self.color == DRAWN[Level.GOOD][1]


def checklist_of(agent: Agent) -> list[ListedCheck]:
    """The lines for an agent as it is saved."""
    return [
        ListedCheck(check.name, check.words, url_of(check, agent), *DRAWN[check.level]) for check in checks_of(agent)
    ]


def url_of(check: Check, agent: Agent) -> str:
    """The row's page at the field, or the page of a new row of the agent's organization."""
    meta = check.mend._meta
    route = f"admin:{meta.app_label}_{meta.model_name}"
    if isinstance(check.mend, models.Model):
        anchor = check.field if check.field.endswith("-group") else f"id_{check.field}"
        return reverse(f"{route}_change", args=(check.mend.pk,)) + (f"#{anchor}" if check.field else "")
    return f"{reverse(f'{route}_add')}?{urlencode({'organization': str(agent.organization_id)})}"

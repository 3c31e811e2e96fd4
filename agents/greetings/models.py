"""Greetings as audio: each spoken once by its agent's voice, and played at the start of each call."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from voiceapp.core.jobs.models import Job
from voiceapp.core.languages import LONGEST as LONGEST_TAG

# A session of these costs as much as a call: they speak the greeting themselves in each.
NEVER_KEPT = frozenset({"vapi"})


@dataclass(frozen=True, slots=True)
class Greeting:
    """What is said, and by whom: equal greetings sound the same, whatever version of whatever agent they belong to."""

    provider: str
    model: str
    voice: str
    language: str
    text: str


class KeptGreeting(TenantModel, Job):
    """The audio of a greeting, and the job of making it: there is audio once the job is done."""

    topic_field = "provider"
    done_label = _("Ready")

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="kept_greetings")
    provider = models.CharField(max_length=10)
    model = models.CharField(max_length=80)
    voice = models.CharField(max_length=80)
    language = models.CharField(max_length=LONGEST_TAG)
    text = models.CharField(max_length=600)
    audio = models.BinaryField(default=b"", help_text=_("µ-law at 8 kHz, without a header."))

    objects = TenantQuerySet["KeptGreeting"].as_manager()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=("organization", "provider", "model", "voice", "language", "text"),
                name="a_greeting_is_kept_once",
            )
        ]
        indexes = [models.Index(fields=("state", "due_at"), name="kept_greeting_due")]

    def __str__(self) -> str:
        return self.text

    @property
    def greeting(self) -> Greeting:
        return Greeting(*(getattr(self, field.name) for field in fields(Greeting)))

    @property
    def made_at(self) -> dt.datetime | None:
        return self.done_at if self.state == self.State.DONE else None

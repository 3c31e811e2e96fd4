"""A message that a caller left because neither an agent nor a person could answer."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.tenancy import TenantModel, TenantQuerySet
from recordings.models import Recording
from sessions.calls.models import Call


class VoicemailQuerySet(TenantQuerySet["Voicemail"]):
    """Reads of voicemail."""

    def unheard(self) -> VoicemailQuerySet:
        """Messages with speech in them, or that may have some, before their first listener."""
        return self.filter(heard_at=None).exclude(state=Voicemail.State.EMPTY)


class Voicemail(TenantModel):
    """One recording of a `<Record>`. The audio is Twilio's until it is stored here."""

    class State(models.TextChoices):
        FETCHING = "fetching", _("Being fetched from Twilio")
        STORED = "stored", _("Stored")
        EMPTY = "empty", _("Nothing was said")
        FAILED = "failed", _("Could not be fetched")
        LOST = "lost", _("Lost")

    # Twilio may still have the audio.
    NOT_FETCHED = (State.FETCHING, State.FAILED)

    class Why(models.TextChoices):
        CLOSED = "closed", _("Outside the opening hours")
        NO_AGENT = "no_agent", _("No agent answers the number")
        PROVIDER_FAILED = "provider_failed", _("The AI provider or the connection failed")
        NOBODY_THERE = "nobody_there", _("No person answered")

    tenant_path = "call__organization_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    call = models.ForeignKey(Call, models.CASCADE, related_name="voicemails")
    recording_sid = models.CharField(_("recording SID at Twilio"), max_length=34, unique=True)
    why = models.CharField(_("why a message was taken"), max_length=16, choices=Why.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.FETCHING)
    explanation = models.CharField(
        max_length=300, blank=True, help_text=_("Why it is empty or lost, or why it could not be fetched.")
    )
    recording = models.OneToOneField(Recording, models.SET_NULL, null=True, related_name="voicemail")
    duration_s = models.PositiveIntegerField(_("duration (seconds)"), null=True)
    transcript = models.TextField(blank=True)
    no_transcript = models.CharField(_("why there is no transcript"), max_length=300, blank=True)
    heard_at = models.DateTimeField(null=True)
    heard_by = models.CharField(max_length=150, blank=True)
    is_at_carrier = models.BooleanField(_("still at Twilio"), default=True)
    created_at = models.DateTimeField(_("received"), auto_now_add=True)

    objects = VoicemailQuerySet.as_manager()

    class Meta:
        verbose_name = _("voicemail message")
        verbose_name_plural = _("voicemail")
        ordering = ("-created_at",)
        indexes = [models.Index(fields=("heard_at", "state"), name="voicemail_unheard")]

    def __str__(self) -> str:
        return gettext("Voicemail message")

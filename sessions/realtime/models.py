"""A minted credential of OpenAI Realtime, and the record of it that lives 30 days."""

from __future__ import annotations

import datetime as dt
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from agents.organizations.tenancy import TenantModel, TenantQuerySet

LIVES_FOR = dt.timedelta(days=30)


class VoiceSessionQuerySet(TenantQuerySet["VoiceSession"]):
    """Reads of voice sessions. An expired one is gone at that instant, whenever it is purged."""

    def visible_to(self, principal: Principal) -> Self:
        return super().visible_to(principal).filter(expires_at__gt=timezone.now())

    def expired(self) -> Self:
        return self.filter(expires_at__lte=timezone.now())


class VoiceSession(TenantModel):
    """Who opened which session of OpenAI. The credential itself is never stored. Timestamps are whole seconds."""

    owner_path = "owner"

    session_id = models.CharField(_("session ID"), max_length=100, db_index=True, help_text=_("OpenAI's ID."))
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="voice_sessions")
    owner = models.CharField(max_length=100)
    model = models.CharField(max_length=80)
    is_text_only = models.BooleanField(_("text only"), default=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    objects = VoiceSessionQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = [models.Index(fields=("organization", "-created_at"), name="voice_session_of_organization")]

    def __str__(self) -> str:
        return self.session_id

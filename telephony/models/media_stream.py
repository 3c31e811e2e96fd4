"""One `<Stream>`: when its token was used, and what follows it."""

from __future__ import annotations

import uuid

from django.db import models

from agents.models.tenancy import TenantModel, TenantQuerySet
from sessions.models import Call


class FollowUp(models.TextChoices):
    """What the `<Connect action>` door answers when the stream is over."""

    NOTHING = "", "Nothing said yet"
    HANG_UP = "hang_up", "Hang up"
    HAND_OVER = "hand_over", "Hand over to a person"
    FALL_BACK = "fall_back", "Apologise, then transfer or take a message"


class MediaStream(TenantModel):
    """The token in the TwiML is an HMAC over `id`, so a repeated webhook gets the same one; it is redeemed once."""

    tenant_path = "call__organization_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    call = models.OneToOneField(Call, models.CASCADE, related_name="media_stream")
    account_sid = models.CharField(max_length=64)
    stream_sid = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    follow_up = models.CharField(max_length=10, blank=True, choices=FollowUp.choices, default=FollowUp.NOTHING)
    hand_over_to = models.CharField(max_length=40, blank=True, help_text="The slug of a transfer target.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet["MediaStream"].as_manager()

    def __str__(self) -> str:
        return self.stream_sid or str(self.id)

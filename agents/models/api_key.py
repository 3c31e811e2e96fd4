"""The keys by which other software proves for which organisation it asks."""

from __future__ import annotations

import datetime as dt
import re

from django.db import models
from django.utils import timezone

from agents.principal import KEY_PREFIX
from agents.scopes import Scope

from .organization import Organization
from .tenancy import TenantModel, TenantQuerySet

PREFIX_LENGTH = 10
# va_<prefix>_<256 bits in base64url>: known by its looks, so that a leaked one can be searched for.
KEY_PATTERN = re.compile(r"va_(?P<prefix>[a-z0-9]{10})_(?P<secret>[A-Za-z0-9_-]{43})")


def all_scopes() -> list[str]:
    return [str(scope) for scope in Scope]


class ApiKeyQuerySet(TenantQuerySet["ApiKey"]):
    """Reads of keys."""

    def usable(self, now: dt.datetime) -> ApiKeyQuerySet:
        return self.filter(models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=now), revoked_at__isnull=True)


class ApiKey(TenantModel):
    """A key of an organisation. Of its secret only the hash is kept: 256 random bits need no slow one."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=PREFIX_LENGTH, unique=True, editable=False)
    secret_sha256 = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=all_scopes)
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it works until it is revoked.")
    last_used_at = models.DateTimeField(null=True, editable=False, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, editable=False)
    replaced_by = models.OneToOneField(
        "self", models.SET_NULL, null=True, related_name="replaces", editable=False, help_text="Made by rotating it."
    )

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} (va_{self.prefix}_…)"

    @property
    def subject(self) -> str:
        """How rows name the key as their owner."""
        return f"{KEY_PREFIX}{self.prefix}"

    def is_usable(self, now: dt.datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)

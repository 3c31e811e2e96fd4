"""The audit log: who changed which row of configuration, when, from where, from what to what."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents.organizations.actor import Via
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet


class AuditEntry(TenantModel):
    """Written by agents/organizations/auditing.py. `page` is the page that shows the row, like `agents.item:5`."""

    class Action(models.TextChoices):
        ADDED = "added", _("Added")
        CHANGED = "changed", _("Changed")
        REMOVED = "removed", _("Removed")

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="audit_entries", verbose_name=_("organization")
    )
    at = models.DateTimeField(_("time"), default=timezone.now)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("person"))
    actor = models.CharField(_("who"), max_length=150, help_text=_("As the person or key was named then."))
    via = models.CharField(_("by way of"), max_length=8, choices=Via.choices)
    place = models.CharField(_("from where"), max_length=200)
    action = models.CharField(_("action"), max_length=8, choices=Action.choices)
    kind = models.CharField(_("kind"), max_length=60)
    row_id = models.CharField(_("record ID"), max_length=40)
    name = models.CharField(_("name"), max_length=200)
    page = models.CharField(max_length=110)
    changes = models.JSONField(_("changes"), default=list)

    objects = TenantQuerySet["AuditEntry"].as_manager()

    class Meta:
        ordering = ("-at", "-id")
        verbose_name = _("change")
        verbose_name_plural = _("audit log")
        # The first three hold every column that the list filters by: all filters together, the count and a page far
        # down read the index alone, in the order of the list.
        indexes = [
            models.Index(fields=("organization", "at", "id", "user", "kind", "action", "via"), name="audit_by_day"),
            models.Index(fields=("organization", "user", "at", "id", "kind", "action", "via"), name="audit_by_person"),
            models.Index(fields=("organization", "kind", "at", "id", "user", "action", "via"), name="audit_by_kind"),
            models.Index(fields=("page", "-id"), name="audit_of_page"),
            models.Index(fields=("at",), name="audit_by_age"),
        ]

    def __str__(self) -> str:
        return self.name

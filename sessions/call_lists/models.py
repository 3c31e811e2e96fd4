"""Saved views of the list of calls."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.exports.queries import LONGEST_QUERY

LONGEST_NAME = 60


class SavedViewQuerySet(TenantQuerySet["SavedView"]):
    def visible_to(self, principal: Principal) -> SavedViewQuerySet:
        """One's own, and what is shared with the organizations that the principal sees."""
        own = Q(user=principal.subject) if principal.subject.isdigit() else Q(pk__in=())
        if principal.sees_all:
            return self.filter(own | Q(organization__isnull=False))
        return self.filter(own | Q(organization__in=principal.organization_ids))


class SavedView(TenantModel):
    """A name for what stands after `?` in the address of the list. With an organization it is shared with it."""

    user = models.ForeignKey(User, models.CASCADE, related_name="call_views")
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="call_views")
    name = models.CharField(max_length=LONGEST_NAME)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    is_default = models.BooleanField(
        default=False, help_text=_("The list opens with it: for its user, or for all of the organization.")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved view")
        ordering = ("name", "id")
        constraints = [
            models.UniqueConstraint(
                fields=("user", "name"), condition=Q(organization__isnull=True), name="own_call_views_are_named"
            ),
            models.UniqueConstraint(
                fields=("organization", "name"),
                condition=Q(organization__isnull=False),
                name="shared_call_views_are_named",
            ),
            models.UniqueConstraint(
                fields=("user",),
                condition=Q(organization__isnull=True, is_default=True),
                name="one_own_default_call_view",
            ),
            models.UniqueConstraint(
                fields=("organization",),
                condition=Q(organization__isnull=False, is_default=True),
                name="one_shared_default_call_view",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_shared(self) -> bool:
        return self.organization_id is not None

"""A call that a visitor of a public call page makes, and what is reserved for it of the day's budget."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from sessions.calls.models import Call


class VisitorCall(models.Model):
    """Made before the call. Without a call it counts as if there were one: nothing is spent that was not reserved."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="visitor_calls")
    token_id = models.CharField(
        _("visitor"), max_length=40, unique=True, help_text=_("Each visitor token begins one call.")
    )
    day = models.DateField(help_text=_("In the organization's time zone: the day whose budget it is of."))
    model = models.CharField(max_length=80)
    longest_call_minutes = models.PositiveIntegerField()
    reserved_usd = models.DecimalField(_("reserved (USD)"), max_digits=10, decimal_places=2)
    call = models.OneToOneField(Call, models.SET_NULL, null=True, related_name="visitor_call")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=("organization", "day"), name="visitor_calls_of_a_day")]

    def __str__(self) -> str:
        return gettext("Visitor's call of %(day)s") % {"day": self.day}

"""People to whom agents can transfer callers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.hours.models import TransferHours
from agents.hours.queries import load_schedule, target_schedule
from agents.hours.schedule import say_date_and_time
from agents.organizations.roles import Area
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.inlines import TenantInline
from agents.tenant_admin.number_search import NumberSearch
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import display
from voiceapp.core.phones.numbers import show_number

from .models import TransferTarget


class TransferHoursInline(TenantInline):
    model = TransferHours
    area = Area.ORGANIZATION
    verbose_name_plural = _("hours (empty: while the organization is open)")


OPTIONAL = ("position", "mode", "if_nobody", "caller_id")


class TransferTargetForm(TenantForm):
    """What is not sent is as in the model: other software knows only the first fields."""

    only_one = "is_fallback"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in OPTIONAL:
            if name in self.fields:
                self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        cleaned, empty = super().clean(), TransferTarget()
        for name in OPTIONAL:
            is_sent = name in self.fields and name in self.data
            if is_sent and cleaned.get(name) in (None, ""):
                cleaned[name] = getattr(empty, name)
        return cleaned


@admin.register(TransferTarget)
class TransferTargetAdmin(NumberSearch[TransferTarget], TenantAdmin[TransferTarget]):
    area = Area.ORGANIZATION
    form = TransferTargetForm
    list_display = (
        "name",
        "slug",
        "shown",
        "department",
        "position",
        "mode",
        "when_to_use",
        "there_now",
        "fallback",
        "organization",
    )
    list_filter = ("department", "organization")
    list_select_related = ("organization",)
    search_fields = ("name", "slug", "number", "department")
    prepopulated_fields = {"slug": ("name",)}
    fields = ("organization", "name", "slug", "number", "when_to_use", "department", "position", "mode", "if_nobody",
              "caller_id", "is_fallback", "takes_calls_on_special_days")  # fmt: skip
    inlines = (TransferHoursInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TransferTarget]:
        """With what says who is there now."""
        found = super().get_queryset(request)
        return found.prefetch_related("hours", "organization__opening_hours", "organization__special_days")

    @display(description=_("now"), label={"there": "success", "not_there": "warning"})
    def there_now(self, target: TransferTarget) -> tuple[str, str]:
        """By the same rule as a transfer's."""
        schedule, now = target_schedule(target, load_schedule(target.organization)), timezone.now()
        if schedule.is_open_at(now):
            return "there", gettext("There")
        opening = schedule.next_opening(now)
        return "not_there", gettext("Again %(time)s") % {
            "time": say_date_and_time(opening, now, schedule.zone)
        } if opening else gettext("Not there")

    @display(description=_("number"), ordering="number")
    def shown(self, target: TransferTarget) -> str:
        return format_html('<span class="va-nowrap">{}</span>', show_number(target.number))

    @display(description=_("fallback"), label={"fallback": "info"})
    def fallback(self, target: TransferTarget) -> tuple[str, str] | str:
        return ("fallback", gettext("Fallback")) if target.is_fallback else ""

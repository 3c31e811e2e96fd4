"""Connected calendars: address, user and password of a resource's calendar, and a test that says what is wrong."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.hours.local_time import when
from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import PasswordInput, Select, display
from sessions.appointments.calendars.models import ConnectedCalendar
from sessions.appointments.calendars.services.connections import check_connection
from sessions.appointments.calendars.services.outgoing import enqueue_missing, retry_failed_updates
from voiceapp.core.web_addresses import read_origin

FOUND = ("status", "calendar_name", "calendar_url", "read_at", "last_error", "unreadable_events")
KEEP = _(
    "Sent to this address only. Leave empty to keep the current one; it is never shown. Many providers want an app "
    "password, made in the account's security settings. A new address needs it again."
)


class ConnectedCalendarForm(TenantForm):
    """The password can be written, never read; it does not follow the address to another server."""

    chosen = forms.ChoiceField(required=False, label=_("calendar"), widget=Select())
    new_password = forms.CharField(
        required=False,
        max_length=512,
        strip=False,
        label=_("password"),
        widget=PasswordInput(render_value=False),
        help_text=KEEP,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "chosen" in self.fields:
            choices = [] if self.instance.calendar_url else [("", gettext("Choose one"))]
            self.fields["chosen"].choices = [*choices, *self.instance.offered]  # type: ignore[attr-defined]
            self.initial["chosen"] = self.instance.calendar_url

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self._is_bound_elsewhere(cleaned) and not cleaned.get("new_password"):
            self.add_error("new_password", gettext("Enter the password for this address."))
        return cleaned

    def _is_bound_elsewhere(self, cleaned: dict[str, Any]) -> bool:
        if self.instance._state.adding:
            return True
        is_other_address = "address" in cleaned and _origin(cleaned["address"]) != _origin(self.initial["address"])
        return is_other_address or "resource" in self.changed_data


def _origin(address: str) -> str:
    try:
        return str(read_origin(address))
    except ValueError:
        return ""


@admin.register(ConnectedCalendar)
class ConnectedCalendarAdmin(TenantAdmin[ConnectedCalendar]):
    area = Area.KEYS
    form = ConnectedCalendarForm
    list_display = ("resource", "calendar_name", "status", "read_at")
    list_select_related = ("resource__organization",)
    search_fields = ("resource__name", "username", "calendar_name")
    buttons = (
        Button("test", _("Test the connection"), "test", icon="cable", style="primary", power=Power.EDIT,
               calls_provider=True),
    )  # fmt: skip

    @display(description=_("status"), label={"works": "success", "new": "info", "failing": "danger"})
    def status(self, calendar: ConnectedCalendar) -> tuple[str, str]:
        if calendar.failing_since is not None:
            return "failing", gettext("Not read since %(time)s") % {"time": when(calendar.failing_since)}
        return ("works", gettext("Works")) if calendar.read_at else ("new", gettext("Not read yet"))

    def get_fields(self, request: HttpRequest, obj: ConnectedCalendar | None = None) -> tuple[str, ...]:
        place = ("resource", "address", "username", "new_password")
        use = ("reads_busy_times", "writes_appointments", "shows_customers")
        if obj is None:
            return (*place, *use)
        return (*place, *(("chosen",) if obj.offered else ()), *use, *FOUND)

    def get_readonly_fields(self, request: HttpRequest, obj: ConnectedCalendar | None = None) -> tuple[str, ...]:
        return () if obj is None else FOUND

    def save_model(self, request: HttpRequest, obj: ConnectedCalendar, form: Any, change: bool) -> None:
        password = form.cleaned_data.get("new_password")
        if password:
            obj.password = password
        super().save_model(request, obj, form, change)
        if change and password:
            obj.save(update_fields=["sealed_password"])
        if change:
            is_elsewhere = bool({"address", "username"} & set(form.changed_data))
            if form.cleaned_data.get("chosen") and "chosen" in form.changed_data and not is_elsewhere:
                obj.choose(form.cleaned_data["chosen"])
            else:
                obj.try_again(is_elsewhere=is_elsewhere)
            retry_failed_updates(obj)

    def test(self, request: HttpRequest, calendar: ConnectedCalendar, _: str) -> str:
        found = check_connection(calendar)
        enqueue_missing(calendar)
        retry_failed_updates(calendar)
        return found

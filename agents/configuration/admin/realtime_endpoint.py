"""Realtime endpoints: where browser sessions can be created besides OpenAI. The key is written, never read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.configuration.models import RealtimeEndpoint
from agents.organizations.roles import Area
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import PasswordInput
from voiceapp.core.web_addresses import read_origin

KEEP = _(
    "Sent to this address only. Leave empty to keep the current key; it is never shown. A new address needs it again."
)
USABLE_KEY = r"^[!-~]{8,512}$"


class RealtimeEndpointForm(TenantForm):
    """The key can be written, never read; it does not follow the address to another one."""

    new_key = forms.RegexField(
        USABLE_KEY,
        required=False,
        label=_("API key"),
        widget=PasswordInput(render_value=False),
        help_text=KEEP,
        error_messages={"invalid": _("A key has 8 to 512 characters without spaces.")},
    )

    def clean_origin(self) -> str:
        """What is pasted may have a path or capitals; only the origin counts."""
        given = str(self.cleaned_data["origin"])
        try:
            return str(read_origin(given))
        except ValueError:
            return given  # the model says what is wrong

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        is_bound_elsewhere = self.instance._state.adding or {"origin", "organization"} & set(self.changed_data)
        if is_bound_elsewhere and not cleaned.get("new_key") and "new_key" not in self.errors:
            self.add_error("new_key", gettext("Enter the API key for this address."))
        return cleaned


@admin.register(RealtimeEndpoint)
class RealtimeEndpointAdmin(TenantAdmin[RealtimeEndpoint]):
    area = Area.KEYS
    form = RealtimeEndpointForm
    list_display = ("origin", "key_set_at", "organization")
    list_filter = ("organization",)
    list_select_related = ("organization",)
    search_fields = ("origin",)
    readonly_fields = ("key_set_at",)

    def get_fields(self, request: HttpRequest, obj: RealtimeEndpoint | None = None) -> tuple[str, ...]:
        fields = ("organization", "origin", "new_key")
        return fields if obj is None else (*fields, "key_set_at")

    def save_model(self, request: HttpRequest, obj: RealtimeEndpoint, form: Any, change: bool) -> None:
        key = form.cleaned_data.get("new_key")
        if key:
            obj.api_key = key
        super().save_model(request, obj, form, change)
        if change and key:
            obj.save(update_fields=["sealed_key", "key_set_at"])

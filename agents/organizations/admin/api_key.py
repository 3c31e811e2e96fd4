"""API keys: created, rotated and revoked by owners and managers; the secret is shown once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import ApiKey
from agents.organizations.roles import Area, Power
from agents.organizations.scopes import Scope
from agents.organizations.services import IssuedKey, issue_key, revoke_key, rotate_key
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import CheckboxSelectMultiple, display


class ApiKeyForm(TenantForm):
    scopes = forms.MultipleChoiceField(
        choices=[(str(scope), scope.label) for scope in Scope],
        initial=list(Scope),
        widget=CheckboxSelectMultiple(),
        help_text=_("What the key can be used for. This cannot be changed later; create another key instead."),
    )

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError(gettext("Enter a time in the future, or leave it empty."))
        return expires_at


def is_active(key: ApiKey) -> bool:
    return key.is_usable(timezone.now())


@admin.register(ApiKey)
class ApiKeyAdmin(TenantAdmin[ApiKey]):
    """A key is never deleted: records refer to it. Only its name can be changed."""

    area = Area.KEYS
    form = ApiKeyForm
    list_display = ("name", "key", "status", "permissions", "last_used_at", "organization")
    list_filter = ("organization",)
    list_select_related = ("organization", "replaced_by")
    search_fields = ("name", "prefix")
    buttons = (
        Button("rotate", _("Rotate"), "rotate", icon="autorenew", style="primary", power=Power.EDIT,
               confirm=_("A new key is created and shown once. This key keeps working for 24 hours."),
               is_offered=lambda key: is_active(key) and key.replaced_by_id is None),
        Button("revoke", _("Revoke"), "revoke", icon="block", power=Power.EDIT,
               confirm=_("The key stops working immediately. This cannot be undone."), is_offered=is_active),
    )  # fmt: skip

    @display(description=_("key"))
    def key(self, key: ApiKey) -> str:
        return f"va_{key.prefix}_…"

    @display(description=_("status"), label={"active": "success", "replaced": "warning", "inactive": "danger"})
    def status(self, key: ApiKey) -> tuple[str, str]:
        if key.revoked_at is not None:
            return "inactive", gettext("Revoked")
        if not is_active(key):
            return "inactive", gettext("Expired")
        return ("replaced", gettext("Being replaced")) if key.replaced_by_id else ("active", gettext("Active"))

    @display(description=_("permissions"))
    def permissions(self, key: ApiKey) -> str:
        return gettext("All") if set(key.scopes) >= set(Scope) else ", ".join(key.scopes)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("organization", "name", "scopes", "expires_at")
        return ("organization", "name", "key", "status", "permissions", "expires_at", "last_used_at", "created_by",
                "created_at", "revoked_at", "replaced_by")  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        # The form declares the scopes: only a field named here is left out of it.
        return ("scopes", *(name for name in self.get_fields(request, obj) if name != "name"))

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        if not self.has_power(request, Power.EDIT, obj):
            raise PermissionDenied
        issued = issue_key(
            obj.organization,
            name=obj.name,
            scopes=[Scope(scope) for scope in form.cleaned_data["scopes"]],
            expires_at=obj.expires_at,
            by=request.user.get_username(),
        )
        obj.pk = issued.key.pk
        obj.refresh_from_db()
        show_key(request, issued)

    def rotate(self, request: HttpRequest, key: ApiKey, _: str) -> str:
        show_key(request, rotate_key(key, by=request.user.get_username()))
        return gettext("%(key)s was rotated. The key with the prefix %(prefix)s works for another 24 hours.") % {
            "key": key.name,
            "prefix": key.prefix,
        }

    def revoke(self, request: HttpRequest, key: ApiKey, _: str) -> str:
        revoke_key(key)
        return gettext("%(key)s is revoked.") % {"key": key.name}


def show_key(request: HttpRequest, issued: IssuedKey) -> None:
    """Once, to the person who requested it; it is neither in the history nor in a log."""
    messages.warning(
        request,
        gettext("The new API key is %(issued)s – copy it now, it is not shown again.") % {"issued": issued.text},
    )

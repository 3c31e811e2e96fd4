"""API keys: made, rotated and revoked by owners and managers; the secret is shown once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

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
        choices=[(str(scope), scope.words) for scope in Scope],
        initial=list(Scope),
        widget=CheckboxSelectMultiple(),
        help_text="What the key may do. It cannot be changed later: make another key.",
    )

    def clean_expires_at(self) -> Any:
        moment = self.cleaned_data["expires_at"]
        if moment is not None and moment <= timezone.now():
            raise forms.ValidationError("Choose a later moment, or leave it empty.")
        return moment


def works(key: ApiKey) -> bool:
    return key.is_usable(timezone.now())


@admin.register(ApiKey)
class ApiKeyAdmin(TenantAdmin[ApiKey]):
    """A key is never deleted: what it did names it. Only its name can be changed."""

    area = Area.KEYS
    form = ApiKeyForm
    list_display = ("name", "key", "state", "allowed", "last_used_at", "organization")
    list_filter = ("organization",)
    list_select_related = ("organization", "replaced_by")
    search_fields = ("name", "prefix")
    buttons = (
        Button("rotate", "Rotate", "rotate", icon="autorenew", style="primary", power=Power.EDIT,
               confirm="A new key is made and shown once. This one works for another day, so that nothing stops.",
               is_offered=lambda key: works(key) and key.replaced_by_id is None),
        Button("revoke", "Revoke", "revoke", icon="block", power=Power.EDIT,
               confirm="It stops working at once, and for good.", is_offered=works),
    )  # fmt: skip

    @display(description="key")
    def key(self, key: ApiKey) -> str:
        return f"va_{key.prefix}_…"

    @display(description="state", label={"works": "success", "replaced": "warning", "over": "danger"})
    def state(self, key: ApiKey) -> tuple[str, str]:
        if key.revoked_at is not None:
            return "over", "revoked"
        if not works(key):
            return "over", "expired"
        return ("replaced", "being replaced") if key.replaced_by_id else ("works", "works")

    @display(description="may")
    def allowed(self, key: ApiKey) -> str:
        return "everything" if set(key.scopes) >= set(Scope) else ", ".join(key.scopes)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("organization", "name", "scopes", "expires_at")
        return ("organization", "name", "key", "state", "allowed", "expires_at", "last_used_at", "created_by",
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
        return f"{key.name} was rotated. The key with the prefix {key.prefix} works until tomorrow at this time."

    def revoke(self, request: HttpRequest, key: ApiKey, _: str) -> str:
        revoke_key(key)
        return f"{key.name} is revoked."


def show_key(request: HttpRequest, issued: IssuedKey) -> None:
    """Once, to the person who asked for it; neither history nor log has it."""
    messages.warning(request, f"The key is {issued.text} – copy it now, it is not shown again.")

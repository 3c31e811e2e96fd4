"""The members of an organization. An owner or manager adds them; the first password is shown once."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from agents.organizations.access import access_of
from agents.organizations.auditing import HIDDEN, record_event
from agents.organizations.memberships import is_last_owner, keep_an_owner, may_grant
from agents.organizations.models import Membership
from agents.organizations.roles import Area, Power, Role
from agents.organizations.tenancy import TenantModel
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.history import change_message
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import (
    AdminPasswordChangeForm,
    ModelAdmin,
    TextInput,
    UserChangeForm,
    UserCreationForm,
    display,
)
from agents.two_factor.services import factor_of, reset
from voiceapp.core.errors import ApplicationError

TAKEN = _(
    "This username is taken. Choose another one. If the person already works for another organization, "
    "send an invitation to their e-mail address."
)


class MembershipForm(TenantForm):
    """Adding a member creates the user: a list of all users would show other organizations'."""

    username = forms.CharField(
        required=False, max_length=150, widget=TextInput(), validators=[UnicodeUsernameValidator()],
        help_text=_("The name to sign in with. A first password is created and shown once."),
    )  # fmt: skip

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if username.startswith("user_"):
            raise forms.ValidationError(
                gettext("Names that start with user_ are reserved for people who sign in with Clerk.")
            )
        if username and User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(TAKEN)
        return username

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        needs_user = self.instance.pk is None and not cleaned.get("user")
        if needs_user and "username" not in self.errors and not cleaned.get("username"):
            self.add_error("username", gettext("Enter the name that the person signs in with."))
        if cleaned.get("user") and cleaned.get("username"):
            self.add_error("username", gettext("Choose an existing user or enter a new username, not both."))
        if self.instance.pk and cleaned.get("role") not in (None, Role.OWNER):
            self._keep_an_owner()
        return cleaned

    def _keep_an_owner(self) -> None:
        try:
            keep_an_owner([self.instance])
        except ApplicationError as exc:
            self.add_error("role", str(exc))


@admin.register(Membership)
class MembershipAdmin(TenantAdmin[Membership]):
    """Who works where, in which role. Only an owner adds or removes an owner."""

    area = Area.PEOPLE
    form = MembershipForm
    begins_with_organization = True
    list_before_template = "admin/people/above_list.html"
    list_display = ("user", "name", "role_label", "two_factor", "organization", "last_login")
    list_filter = ("role", "organization")
    list_select_related = ("user__two_factor", "organization")
    search_fields = ("user__username", "user__first_name", "user__last_name")
    buttons = (
        Button("new-password", _("New password"), "new_password", icon="key", power=Power.EDIT,
               confirm=_("The current password stops working. The new one is shown once.")),
        Button("reset-two-factor", gettext_lazy("Reset two-factor sign-in"), "reset_two_factor", icon="phonelink_erase",
               power=Power.EDIT, is_offered=lambda membership: factor_of(membership.user) is not None,
               confirm=gettext_lazy("Ask the person first whether the phone is really lost. After that the password "
                                    "alone signs in, until a new factor is set up.")),
    )  # fmt: skip

    @display(description=_("name"))
    def name(self, membership: Membership) -> str:
        return membership.user.get_full_name() or "–"

    @display(description=_("role"), ordering="role", label={Role.OWNER: "primary", Role.MANAGER: "info"})
    def role_label(self, membership: Membership) -> tuple[str, str]:
        return membership.role, membership.get_role_display()

    @display(description=gettext_lazy("two-factor"))
    def two_factor(self, membership: Membership) -> str:
        factor = getattr(membership.user, "two_factor", None)
        return gettext("On") if factor is not None and factor.confirmed_at is not None else gettext("Off")

    @display(description=_("last sign-in"), ordering="user__last_login")
    def last_login(self, membership: Membership) -> Any:
        return membership.user.last_login

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        if obj is not None:
            return ("organization", "user", "role")
        if access_of(request).sees_all:
            return ("organization", "user", "username", "role")
        return ("organization", "username", "role")

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return ("user",) if obj else ()

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        """Members are not offered again: a user has one membership in an organization."""
        page = self.organization_of_page(request)
        if db_field.name != "user" or page is None:
            return super().get_field_queryset(db, db_field, request)
        return User.objects.filter(is_active=True).exclude(memberships__organization=page).order_by("username")

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "user" and field is not None:
            field.required = False
            field.help_text = gettext("An existing user; or leave this empty and enter a new username below.")
        if db_field.name == "role" and not may_grant(access_of(request), Role.OWNER):
            field.choices = [choice for choice in field.choices if choice[0] != Role.OWNER]
        return field

    def has_power(self, request: HttpRequest, power: Power, row: Membership | None = None) -> bool:
        if not super().has_power(request, power, row):
            return False
        if power < Power.EDIT or not isinstance(row, TenantModel) or row.role != Role.OWNER:
            return True
        return may_grant(access_of(request), Role.OWNER, row.organization_id)

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return super().has_change_permission(request, obj) and not is_self(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        if not super().has_delete_permission(request, obj) or is_self(request, obj):
            return False
        return not (isinstance(obj, Membership) and is_last_owner(obj))

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        self.delete_queryset(request, Membership.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        with transaction.atomic():
            try:
                keep_an_owner(queryset)
            except ApplicationError as exc:
                raise PermissionDenied(str(exc)) from exc
            super().delete_queryset(request, queryset)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        if not may_grant(access_of(request), Role(obj.role), obj.organization_id):
            raise PermissionDenied
        is_new_person = bool(not change and form.cleaned_data.get("username"))
        if is_new_person:
            password = secrets.token_urlsafe(12)
            obj.user = User.objects.create_user(form.cleaned_data["username"], password=password, is_staff=True)
            show_password(request, obj.user, password)
        elif not change and not obj.user.is_staff:
            User.objects.filter(pk=obj.user_id).update(is_staff=True)
        super().save_model(request, obj, form, change)

    def new_password(self, request: HttpRequest, membership: Membership, _text: str) -> str:
        user = membership.user
        if self._works_elsewhere(membership) and not access_of(request).sees_all:
            raise PermissionDenied
        password = secrets.token_urlsafe(12)
        user.set_password(password)
        user.save(update_fields=["password"])
        record_event(membership, "password", old=HIDDEN, new=HIDDEN)
        show_password(request, user, password)
        return gettext("%(get_username)s has a new password.") % {"get_username": user.get_username()}

    def reset_two_factor(self, request: HttpRequest, membership: Membership, _text: str) -> str:
        """By an owner; a person who works elsewhere, too, asks the server's administrator."""
        if not may_grant(access_of(request), Role.OWNER, membership.organization_id):
            raise PermissionDenied
        if self._works_elsewhere(membership) and not access_of(request).sees_all:
            raise ApplicationError(
                gettext(
                    "%(name)s works for another organization, too. Ask the server's administrator: "
                    "manage.py reset_two_factor %(name)s"
                )
                % {"name": membership.user.get_username()}
            )
        reset(membership.user)
        return gettext("%(name)s signs in with the password alone now.") % {"name": membership.user.get_username()}

    def _works_elsewhere(self, membership: Membership) -> bool:
        user = membership.user
        return user.is_superuser or user.memberships.exclude(organization_id=membership.organization_id).exists()


def show_password(request: HttpRequest, user: User, password: str) -> None:
    """Once, to the person who requested it; it is neither in the history nor in a log."""
    messages.warning(
        request,
        gettext("%(get_username)s signs in with the password %(password)s – copy it now, it is not shown again.")
        % {"get_username": user.get_username(), "password": password},
    )


def is_self(request: HttpRequest, membership: Membership | None) -> bool:
    """Members cannot change their own role: the last owner could lock out the organization."""
    return (
        isinstance(membership, Membership) and membership.user_id == request.user.pk and not access_of(request).sees_all
    )


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User], ModelAdmin[User]):
    """Everybody who can sign in: for superusers only."""

    form: Any = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Access"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": gettext("Users"), **(extra_context or {})})

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return change_message(form, formsets, is_new=add)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access_of(request).sees_all

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return access_of(request).sees_all

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access_of(request).sees_all

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return access_of(request).sees_all

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return access_of(request).sees_all

"""Invitations: whom an owner or manager has invited, and what became of it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.organizations.access import access_of
from agents.organizations.memberships import may_grant
from agents.organizations.models import Membership, Organization
from agents.organizations.roles import Area, Power, Role
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import display
from voiceapp.core.errors import ApplicationError

from .links import make_link
from .models import Invitation
from .services import count_invitation, invite, revoke, send_again

State = Invitation.State


class InvitationForm(TenantForm):
    """Saving it sends the e-mail."""

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        organization, email = cleaned.get("organization"), cleaned.get("email")
        members = Membership.objects.filter(organization=organization, user__email__iexact=email or "-")
        if organization and members.exists():
            self.add_error("email", _("A person with this address works here already."))
        if organization and not self.errors:
            self._count(organization)
        return cleaned

    def _count(self, organization: Organization) -> None:
        try:
            count_invitation(organization)
        except ApplicationError as exc:
            self.add_error(None, str(exc))

    def validate_constraints(self) -> None:
        """An address that has an open invitation gets it again."""


@admin.register(Invitation)
class InvitationAdmin(TenantAdmin[Invitation]):
    """It is not changed: withdraw it, and invite anew."""

    area = Area.PEOPLE
    form = InvitationForm
    begins_with_organization = True
    list_display = ("email", "role", "status", "invited_by", "expires_at", "organization")
    list_filter = ("role", "organization")
    list_select_related = ("organization", "invited_by")
    search_fields = ("email",)
    buttons = (
        Button("send-again", gettext_lazy("Send again"), "send_again", icon="forward_to_inbox", power=Power.EDIT,
               confirm=gettext_lazy("The link of the last e-mail stops working. The new one works for seven days."),
               is_offered=lambda invitation: invitation.is_open),
        Button("revoke", gettext_lazy("Withdraw"), "revoke", icon="block", power=Power.EDIT,
               confirm=gettext_lazy("The link stops working."), is_offered=lambda invitation: invitation.is_open),
    )  # fmt: skip

    @display(
        description=gettext_lazy("status"),
        label={"sent": "info", "accepted": "success", "over": "warning", "failed": "danger"},
    )
    def status(self, invitation: Invitation) -> tuple[str, str]:
        if invitation.accepted_at is not None:
            return "accepted", _("Accepted")
        if invitation.revoked_at is not None:
            return "over", _("Withdrawn")
        if invitation.is_expired:
            return "over", _("Expired")
        if invitation.state == State.DONE:
            return "sent", _("Sent")
        if invitation.state == State.WAITING:
            return "sent", _("Being sent")
        return "failed", _("Not sent")

    @display(description=gettext_lazy("link"))
    def link(self, invitation: Invitation) -> str:
        """On a developer's machine, where e-mails go into a folder."""
        return make_link(invitation) if invitation.is_open else "–"

    @display(description=gettext_lazy("why it was not sent"))
    def why_not_sent(self, invitation: Invitation) -> str:
        return invitation.last_error or "–"

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("organization", "email", "role")
        shown = ("organization", "email", "role", "status", "invited_by", "expires_at", "accepted_at", "accepted_by",
                 "revoked_at", "why_not_sent")  # fmt: skip
        return (*shown, "link") if settings.ENVIRONMENT == "dev" else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Invitation | None = None) -> tuple[str, ...]:
        return self.get_fields(request, obj) if obj else ()

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "role" and not may_grant(access_of(request), Role.OWNER):
            field.choices = [choice for choice in field.choices if choice[0] != Role.OWNER]
        return field

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        sent = invite(obj.organization, email=obj.email, role=self._granted(request, obj), by=_user(request))
        obj.pk = sent.pk
        obj.refresh_from_db()

    def send_again(self, request: HttpRequest, invitation: Invitation, _text: str) -> str:
        self._granted(request, invitation)
        send_again(invitation, by=_user(request))
        return _("The invitation to %(email)s is being sent again.") % {"email": invitation.email}

    def revoke(self, request: HttpRequest, invitation: Invitation, _text: str) -> str:
        revoke(invitation)
        return _("The invitation to %(email)s is withdrawn.") % {"email": invitation.email}

    def _granted(self, request: HttpRequest, invitation: Invitation) -> Role:
        role = Role(invitation.role)
        if not may_grant(access_of(request), role, invitation.organization_id):
            raise PermissionDenied
        return role


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user

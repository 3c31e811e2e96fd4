"""Calendar feeds: made, renewed and revoked by owners and managers; the address is shown once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import display
from sessions.appointments.calendars.models import CalendarFeed
from sessions.appointments.calendars.services.feeds import IssuedFeed, issue_feed, renew_feed, revoke_feed


def is_active(feed: CalendarFeed) -> bool:
    return feed.revoked_at is None


@admin.register(CalendarFeed)
class CalendarFeedAdmin(TenantAdmin[CalendarFeed]):
    """A revoked feed stays in the list: it says who could read what."""

    area = Area.KEYS
    list_display = ("name", "content", "status", "last_used_at", "organization")
    list_filter = ("organization",)
    list_select_related = ("organization", "resource")
    search_fields = ("name",)
    buttons = (
        Button("renew", _("New address"), "renew", icon="autorenew", style="primary", power=Power.EDIT,
               confirm=_("The address in use stops working at once. The new one is shown once."), is_offered=is_active),
        Button("revoke", _("Revoke"), "revoke", icon="block", power=Power.EDIT,
               confirm=_("The address stops working at once. This cannot be undone."), is_offered=is_active),
    )  # fmt: skip

    @display(description=_("content"))
    def content(self, feed: CalendarFeed) -> str:
        return (
            gettext("All appointments")
            if feed.resource is None
            else gettext("Appointments of %(resource)s") % {"resource": feed.resource}
        )

    @display(description=_("status"), label={"active": "success", "revoked": "danger"})
    def status(self, feed: CalendarFeed) -> tuple[str, str]:
        return ("active", gettext("Active")) if is_active(feed) else ("revoked", gettext("Revoked"))

    def get_fields(self, request: HttpRequest, obj: CalendarFeed | None = None) -> tuple[str, ...]:
        fields = ("organization", "name", "resource", "shows_customers")
        made = ("status", "last_used_at", "created_by", "created_at", "renewed_at", "revoked_at")
        return fields if obj is None else (*fields, *made)

    def get_readonly_fields(self, request: HttpRequest, obj: CalendarFeed | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return tuple(name for name in self.get_fields(request, obj) if name not in ("name", "shows_customers"))

    def has_delete_permission(self, request: HttpRequest, obj: CalendarFeed | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: CalendarFeed, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        if not self.has_power(request, Power.EDIT, obj):
            raise PermissionDenied
        issued = issue_feed(
            obj.organization,
            name=obj.name,
            resource=obj.resource,
            shows_customers=obj.shows_customers,
            by=request.user.get_username(),
        )
        obj.pk = issued.feed.pk
        obj.refresh_from_db()
        show_address(request, issued)

    def renew(self, request: HttpRequest, feed: CalendarFeed, _: str) -> str:
        show_address(request, renew_feed(feed))
        return gettext("%(feed)s has a new address.") % {"feed": feed.name}

    def revoke(self, request: HttpRequest, feed: CalendarFeed, _: str) -> str:
        revoke_feed(feed)
        return gettext("%(feed)s is revoked.") % {"feed": feed.name}


def show_address(request: HttpRequest, issued: IssuedFeed) -> None:
    """Once, to the person who requested it; it is neither in the history nor in a log."""
    messages.warning(
        request,
        gettext(
            "Subscribe to %(address)s – copy it now, it is not shown again. Everybody who has it can read the feed."
        )
        % {"address": issued.address},
    )

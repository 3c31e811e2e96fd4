"""Phone numbers: which agent answers, the webhook URL for the carrier, and the last call."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from agents.configuration.models import Agent
from agents.organizations.roles import Area
from agents.tenant_admin.number_search import NumberSearch
from agents.tenant_admin.tenant import ReadOnlyAdmin, TenantAdmin
from agents.tenant_admin.theme import display
from sessions.calls.admin.call import call_link
from sessions.calls.models import Call
from voiceapp.core.phones.numbers import show_number

from .models import MediaStream, PhoneNumber


@admin.register(PhoneNumber)
class PhoneNumberAdmin(NumberSearch[PhoneNumber], TenantAdmin[PhoneNumber]):
    area = Area.NUMBERS
    list_display = ("shown", "label", "organization", "answered_by", "status", "last_call")
    list_filter = ("is_active", "agent", "organization")
    list_select_related = ("organization", "agent")
    list_display_links = ("shown",)
    search_fields = ("number", "label")
    fields = ("organization", "number", "label", "agent", "is_active", "webhook")
    readonly_fields = ("webhook",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhoneNumber]:
        """With the last call to each number, and its organization's default agent, in the one query."""
        calls = Call.objects.filter(organization=OuterRef("organization"), dialed_number=OuterRef("number"))
        default = Agent.objects.filter(organization=OuterRef("organization"), is_default=True)
        return (
            super()
            .get_queryset(request)
            .select_related("organization", "agent")
            .annotate(
                last_call_at=Subquery(calls.order_by("-created_at").values("created_at")[:1]),
                default_agent=Subquery(default.values("name")[:1]),
                default_version=Subquery(default.values("published_version")[:1]),
                default_is_paused=Subquery(default.values("is_paused")[:1]),
            )
        )

    @display(description="number", ordering="number")
    def shown(self, number: PhoneNumber) -> str:
        return format_html('<span class="va-nowrap">{}</span>', show_number(number.number))

    @display(description="answered by")
    def answered_by(self, number: PhoneNumber) -> str:
        if number.agent is not None:
            return number.agent.name
        default = getattr(number, "default_agent", None)
        return f"{default} (default)" if default else "No agent"

    @display(
        description="status",
        label={"active": "success", "paused": "warning", "inactive": "warning", "no_agent": "danger"},
    )
    def status(self, number: PhoneNumber) -> tuple[str, str]:
        if not number.is_active:
            return "inactive", "Inactive"
        version = number.agent.published_version_id if number.agent else getattr(number, "default_version", None)
        paused = number.agent.is_paused if number.agent else getattr(number, "default_is_paused", False)
        if version is None:
            return "no_agent", "No published agent"
        return ("paused", "Agent paused") if paused else ("active", "Active")

    @display(description="last call", ordering="last_call_at")
    def last_call(self, number: PhoneNumber) -> Any:
        return getattr(number, "last_call_at", None) or "Never"

    @display(description="Twilio webhook URL")
    def webhook(self, number: PhoneNumber) -> str:
        """A field whose text is selected as a whole, to be copied."""
        if number._state.adding:
            return "Save the number to see its webhook URL."
        url = webhook_url(number)
        return format_html(
            '<input class="va-copy" type="text" readonly size="70" value="{}" aria-label="Webhook URL">'
            '<p class="va-hint">In the Twilio console: Phone Numbers → this number → “A call comes in” → Webhook, '
            "HTTP POST. For “Call status changes”: <code>{}/twilio/call-status</code></p>",
            url,
            settings.PUBLIC_BASE_URL,
        )


def webhook_url(number: PhoneNumber) -> str:
    return f"{settings.PUBLIC_BASE_URL}/twiml/start?orgId={number.organization_id}"


def numbers_url() -> str:
    return reverse("admin:telephony_phonenumber_changelist")


@admin.register(MediaStream)
class MediaStreamAdmin(ReadOnlyAdmin[MediaStream]):
    area = Area.CALLS
    list_display = ("created_at", "stream_sid", "used_at", "ended_at", "follow_up", "next_step", "of_call")
    list_filter = ("follow_up", "created_at")
    list_select_related = ("call",)
    linkable = ("call",)
    search_fields = ("=stream_sid",)
    ordering = ("-created_at",)
    fields = ("stream_sid", "account_sid", "created_at", "expires_at", "used_at", "ended_at", "follow_up",
              "hand_over_to", "next_step", "next_target", "of_call")  # fmt: skip
    readonly_fields = ("of_call",)

    @display(description="call")
    def of_call(self, stream: MediaStream) -> str:
        return call_link(stream.call)

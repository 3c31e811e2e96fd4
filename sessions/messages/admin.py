"""What is sent to other systems: delivered, waiting, retrying, or failed; each attempt with its response."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import admin
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.hours.local_time import when_of
from agents.organizations.access import access_of
from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import as_json, display
from sessions.messages.endpoints.models import WebhookAttempt
from voiceapp.core.jobs.admin import STATE_COLORS, RetryMixin, state_badge
from voiceapp.core.phones.numbers import mask

from .models import OutboxMessage
from .outbox import outbox

# How the customer's number is named in bodies, wherever it stands.
NUMBERS = frozenset({"customerNumber", "callerNumber"})
MOST_ATTEMPTS = 100


@admin.register(OutboxMessage)
class OutboxMessageAdmin(RetryMixin[OutboxMessage], ReadOnlyAdmin[OutboxMessage]):
    """A failed delivery stays until somebody retries it."""

    area = Area.DELIVERIES
    queue = outbox
    is_retried = _("The delivery is being retried.")
    actions = ("retry_chosen",)
    list_display = (
        "created_at",
        "kind",
        "state_label",
        "endpoint",
        "organization",
        "sent",
        "due_at",
        "last_error",
    )
    list_filter = ("state", "event", "topic", "created_at", "endpoint", "organization")
    list_select_related = ("organization", "endpoint")
    search_fields = ("=partition_key", "=message_id", "=about", "last_error")
    ordering = ("-id",)
    fields = (
        "kind",
        "state_label",
        "endpoint",
        "message_id",
        "about",
        "partition_key",
        "sent",
        "created_at",
        "due_at",
        "done_at",
        "last_error",
        "log_of_attempts",
        "content",
    )
    readonly_fields = ("kind", "state_label", "sent", "log_of_attempts", "content")
    buttons = (
        Button("retry", _("Retry"), "retry_one", icon="replay", style="primary",
               is_offered=lambda message: message.state != OutboxMessage.State.DONE),
        Button("replay", _("Replay"), "replay", icon="replay",
               confirm=_("It was delivered. It is sent again with the same webhook-id, by which receivers know it."),
               is_offered=lambda message: message.state == OutboxMessage.State.DONE and message.endpoint is not None),
    )  # fmt: skip

    def retried_text(self, number: int) -> str:
        return ngettext("%(number)s delivery retried.", "%(number)s deliveries retried.", number) % {"number": number}

    def rows_to_operate(self, request: HttpRequest, rows: QuerySet[OutboxMessage]) -> QuerySet[OutboxMessage]:
        return self.rows_with(request, rows, Power.OPERATE)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> OutboxMessage | None:
        """With what this user may read of it."""
        message = super().get_object(request, object_id, from_field)
        if message is not None:
            vars(message)["sees_numbers"] = access_of(request).sees_customers_of(message.organization_id)
        return message

    def replay(self, request: HttpRequest, message: OutboxMessage, _: str) -> str:
        """The same message, with a new attempt."""
        with transaction.atomic():
            outbox.retry(OutboxMessage.objects.filter(pk=message.pk), also_done=True)
        return gettext("The delivery is being sent again.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxMessage]:
        """With how many attempts the log has; only those that count are in the row."""
        of_message = WebhookAttempt.objects.filter(message=OuterRef("pk")).order_by().values("message")
        logged = Subquery(of_message.annotate(number=Count("pk")).values("number"))
        return super().get_queryset(request).annotate(logged=logged)

    @display(description=_("attempts"))
    def sent(self, message: OutboxMessage) -> int:
        return max(message.attempts, vars(message).get("logged") or 0)

    @display(description=_("event"), ordering="event")
    def kind(self, message: OutboxMessage) -> str:
        return message.event or message.topic

    @display(description=_("state"), ordering="state", label=STATE_COLORS)
    def state_label(self, message: OutboxMessage) -> tuple[str, str]:
        return state_badge(message, outbox)

    @display(description=_("attempts, each with its response"))
    def log_of_attempts(self, message: OutboxMessage) -> str:
        rows = WebhookAttempt.objects.filter(message=message).order_by("-id")[:MOST_ATTEMPTS]
        attempts = [
            {
                "row": row,
                "when": when_of(message, row.at),
                "request_headers": as_json(row.request_headers),
                "response_headers": as_json(row.response_headers),
            }
            for row in rows
        ]
        may_read = vars(message).get("sees_numbers", False)
        return render_to_string("admin/parts/webhook_attempts.html", {"attempts": attempts, "may_read": may_read})

    @display(description=_("payload"))
    def content(self, message: OutboxMessage) -> str:
        sees_numbers = vars(message).get("sees_numbers", False)
        return as_json(message.body if sees_numbers else without_numbers(message.body))


def without_numbers(body: object) -> object:
    """The body with customers' numbers masked."""
    if isinstance(body, Mapping):
        return {
            name: mask(value) if name in NUMBERS and isinstance(value, str) and value else without_numbers(value)
            for name, value in body.items()
        }
    return [without_numbers(each) for each in body] if isinstance(body, list) else body

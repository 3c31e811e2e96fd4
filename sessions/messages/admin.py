"""What is sent to other systems: delivered, waiting, retrying, or failed."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import as_json, display
from voiceapp.core.jobs.admin import STATE_COLORS, RetryMixin, state_badge

from .models import OutboxMessage
from .outbox import outbox


@admin.register(OutboxMessage)
class OutboxMessageAdmin(RetryMixin[OutboxMessage], ReadOnlyAdmin[OutboxMessage]):
    """A failed delivery stays until somebody retries it."""

    area = Area.DELIVERIES
    queue = outbox
    one, many = "delivery", "deliveries"
    actions = ("retry_chosen",)
    list_display = ("created_at", "topic", "state_label", "organization", "attempts", "due_at", "last_error")
    list_filter = ("state", "topic", "created_at", "organization")
    list_select_related = ("organization",)
    search_fields = ("=partition_key", "=message_id", "last_error")
    ordering = ("-id",)
    fields = (
        "topic",
        "state_label",
        "message_id",
        "partition_key",
        "attempts",
        "created_at",
        "due_at",
        "done_at",
        "last_error",
        "content",
    )
    readonly_fields = ("state_label", "content")
    buttons = (
        Button("retry", "Retry", "retry_one", icon="replay", style="primary",
               is_offered=lambda message: message.state != OutboxMessage.State.DONE),
    )  # fmt: skip

    def rows_to_operate(self, request: HttpRequest, rows: QuerySet[OutboxMessage]) -> QuerySet[OutboxMessage]:
        return self.rows_with(request, rows, Power.OPERATE)

    @display(description="state", ordering="state", label=STATE_COLORS)
    def state_label(self, message: OutboxMessage) -> tuple[str, str]:
        return state_badge(message, outbox)

    @display(description="payload")
    def content(self, message: OutboxMessage) -> str:
        return as_json(message.body)

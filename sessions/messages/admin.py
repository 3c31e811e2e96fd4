"""What was promised to other systems: delivered, waiting, or given up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from agents.catalog.admin.stock import counted
from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.tenant import EvidenceAdmin
from agents.tenant_admin.theme import display

from .models import OutboxMessage
from .outbox import retry, unconfigured_topics

State = OutboxMessage.State
COLORS: Mapping[str, str] = {
    State.WAITING: "info",
    State.DONE: "success",
    State.DEAD: "danger",
    State.UNCONFIGURED: "warning",
    "failing": "warning",
}


@admin.register(OutboxMessage)
class OutboxMessageAdmin(EvidenceAdmin[OutboxMessage]):
    """A dead message stays until somebody sends it again."""

    area = Area.DELIVERIES
    list_display = ("created_at", "topic", "state_label", "organization", "attempts", "due_at", "last_error")
    list_filter = ("state", "topic", "created_at", "organization")
    list_select_related = ("organization",)
    search_fields = ("=key", "=message_id", "last_error")
    ordering = ("-id",)
    actions = ("send_again",)
    fields = (
        "topic",
        "state_label",
        "message_id",
        "key",
        "attempts",
        "created_at",
        "due_at",
        "done_at",
        "last_error",
        "content",
    )
    readonly_fields = ("state_label", "content")
    buttons = (
        Button("again", "Retry", "send_one_again", icon="replay", style="primary",
               is_offered=lambda message: message.state != State.DONE),
    )  # fmt: skip

    @display(description="state", ordering="state", label=COLORS)
    def state_label(self, message: OutboxMessage) -> tuple[str, str]:
        if message.state == State.WAITING and message.topic in unconfigured_topics():
            return State.UNCONFIGURED.value, f"{State.UNCONFIGURED.label}, waiting"
        return ("failing" if message.is_failing else message.state), message.state_words

    @display(description="content")
    def content(self, message: OutboxMessage) -> str:
        return format_html('<pre class="va-json">{}</pre>', json.dumps(message.body, indent=2, ensure_ascii=False))

    def send_one_again(self, request: HttpRequest, message: OutboxMessage, _: str) -> str:
        retry(OutboxMessage.objects.filter(pk=message.pk))
        return "It is tried again at once, with all its tries."

    @admin.action(description="Retry", permissions=["operate"])
    def send_again(self, request: HttpRequest, rows: QuerySet[OutboxMessage]) -> None:
        chosen = self.rows_with(request, rows, Power.OPERATE)
        open_ones: Any = list(chosen.exclude(state=State.DONE))
        revived = retry(OutboxMessage.objects.filter(pk__in=[message.pk for message in open_ones]))
        for message in open_ones:
            self.log_change(request, message, "Tried again.")
        messages.success(request, counted(revived, "tried again", one="delivery", many="deliveries"))
        others = rows.count() - revived
        if others:
            messages.info(request, f"{others} of the chosen were delivered already, or are being tried right now.")

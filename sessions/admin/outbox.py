"""What was promised to other systems: delivered, waiting, or given up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from agents.admin.buttons import Button
from agents.admin.stock import counted
from agents.admin.tenant import EvidenceAdmin
from agents.admin.theme import display
from agents.roles import Area, Power
from sessions.models import OutboxMessage
from sessions.outbox import retry_dead

State = OutboxMessage.State
COLOURS: Mapping[str, str] = {State.WAITING: "warning", State.DONE: "success", State.DEAD: "danger"}


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
        Button("again", "Send again", "send_one_again", icon="send", style="primary",
               is_offered=lambda message: message.state == State.DEAD),
    )  # fmt: skip

    @display(description="state", ordering="state", label=COLOURS)
    def state_label(self, message: OutboxMessage) -> tuple[str, str]:
        return message.state, message.get_state_display()

    @display(description="content")
    def content(self, message: OutboxMessage) -> str:
        return format_html('<pre class="va-json">{}</pre>', json.dumps(message.body, indent=2, ensure_ascii=False))

    def send_one_again(self, request: HttpRequest, message: OutboxMessage, _: str) -> str:
        retry_dead(OutboxMessage.objects.filter(pk=message.pk))
        return "It is sent again at once, with all its tries."

    @admin.action(description="Send again", permissions=["operate"])
    def send_again(self, request: HttpRequest, rows: QuerySet[OutboxMessage]) -> None:
        chosen = self.rows_with(request, rows, Power.OPERATE)
        dead: Any = list(chosen.filter(state=State.DEAD))
        revived = retry_dead(OutboxMessage.objects.filter(pk__in=[message.pk for message in dead]))
        for message in dead:
            self.log_change(request, message, "Sent again.")
        messages.success(request, counted(revived, "sent again", one="message", many="messages"))
        others = rows.count() - revived
        if others:
            messages.info(request, f"{others} of the chosen were not dead and are left alone.")

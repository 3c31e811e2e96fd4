"""What companies told us, and whether it was worked off."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from agents.catalog.admin.stock import counted
from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.tenant import EvidenceAdmin
from agents.tenant_admin.theme import display
from sessions.calls.admin.call import call_link
from sessions.calls.admin.call_page import details

from .inbox import work_off_again
from .models import ProviderEvent

State = ProviderEvent.State
COLORS: Mapping[str, str] = {State.WAITING: "warning", State.DONE: "success", State.DEAD: "danger"}


@admin.register(ProviderEvent)
class ProviderEventAdmin(EvidenceAdmin[ProviderEvent]):
    """One that was given up stays until somebody lets it be worked off again."""

    area = Area.EVENTS
    list_display = ("received_at", "source", "kind", "state_label", "field_words", "of_call", "attempts", "last_error")
    list_filter = ("state", "source", "kind", "received_at")
    list_select_related = ("call",)
    linkable = ("call",)
    search_fields = ("=dedup_key", "kind", "=lane")
    actions = ("work_off_chosen",)
    fields = (
        "received_at",
        "source",
        "kind",
        "state_label",
        "of_call",
        "attempts",
        "due_at",
        "worked_at",
        "last_error",
        "dedup_key",
        "content",
    )
    readonly_fields = ("state_label", "of_call", "content")
    buttons = (
        Button("again", "Work off again", "work_off_one", icon="replay", style="primary",
               is_offered=lambda event: event.state != State.DONE),
    )  # fmt: skip

    @display(description="state", ordering="state", label=COLORS)
    def state_label(self, event: ProviderEvent) -> tuple[str, str]:
        return event.state, event.get_state_display()

    @display(description="about")
    def field_words(self, event: ProviderEvent) -> str:
        """Of LiveKit's whole messages the room and who or what it is about; of others every field."""
        if event.source != "livekit":
            return details(event.fields) or "–"
        about = {"room": event.lane}
        for name, field in (("participant", "identity"), ("track", "source"), ("egressInfo", "status")):
            told = event.fields.get(name)
            if isinstance(told, Mapping):
                about[name.removesuffix("Info")] = str(told.get(field, ""))
        return ", ".join(f"{name} {told}" for name, told in about.items() if told)

    @display(description="call")
    def of_call(self, event: ProviderEvent) -> str:
        return call_link(event.call)

    @display(description="content")
    def content(self, event: ProviderEvent) -> str:
        return format_html('<pre class="va-json">{}</pre>', json.dumps(event.fields, indent=2, ensure_ascii=False))

    def work_off_one(self, request: HttpRequest, event: ProviderEvent, _: str) -> str:
        work_off_again(ProviderEvent.objects.filter(pk=event.pk))
        return "It is worked off again at once, with all its tries."

    @admin.action(description="Work off again", permissions=["operate"])
    def work_off_chosen(self, request: HttpRequest, rows: QuerySet[ProviderEvent]) -> None:
        chosen = self.rows_with(request, rows, Power.OPERATE)
        given_up = list(chosen.exclude(state=State.DONE))
        revived = work_off_again(ProviderEvent.objects.filter(pk__in=[event.pk for event in given_up]))
        for event in given_up:
            self.log_change(request, event, "Worked off again.")
        messages.success(request, counted(revived, "worked off again", one="event", many="events"))
        others = rows.count() - revived
        if others:
            messages.info(request, f"{others} of the chosen were processed already, or are being tried right now.")

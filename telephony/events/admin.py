"""What providers sent us: whether it was genuine, and whether it is processed."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import as_json, display
from sessions.calls.admin.call import call_link
from sessions.calls.admin.event_text import details
from voiceapp.core.jobs.admin import STATE_COLORS, RetryMixin, state_badge

from .inbox import inbox
from .models import ProviderEvent, Verdict
from .replaying import obstacle_of, replay_event

VERDICT_COLORS = {Verdict.VERIFIED.value: "success", Verdict.REFUSED.value: "danger"}
VAPI_SHOWS = ("status", "endedReason", "cost", "tools")


@admin.register(ProviderEvent)
class ProviderEventAdmin(RetryMixin[ProviderEvent], ReadOnlyAdmin[ProviderEvent]):
    """A failed event stays until somebody retries it."""

    area = Area.EVENTS
    queue = inbox
    is_retried = _("The event is being retried.")
    actions = ("retry_chosen",)
    list_display = (
        "created_at",
        "source",
        "kind",
        "signature",
        "state_label",
        "about",
        "of_call",
        "attempts",
        "last_error",
    )
    list_filter = ("verdict", "state", "source", "kind", "created_at")
    list_select_related = ("call",)
    linkable = ("call",)
    search_fields = ("=dedup_key", "kind", "=partition_key")
    fields = (
        "created_at",
        "source",
        "kind",
        "signature",
        "state_label",
        "of_call",
        "attempts",
        "due_at",
        "done_at",
        "last_error",
        "dedup_key",
        "content",
        "can_be_replayed",
    )
    readonly_fields = ("signature", "state_label", "of_call", "content", "can_be_replayed")
    buttons = (
        Button("retry", _("Retry"), "retry_one", icon="replay", style="primary",
               is_offered=lambda event: event.state != ProviderEvent.State.DONE),
        Button("replay", _("Replay"), "replay", icon="replay", calls_provider=True,
               is_offered=lambda event: event.state == ProviderEvent.State.DONE and not obstacle_of(event)),
    )  # fmt: skip

    def retried_text(self, number: int) -> str:
        return ngettext("%(number)s event retried.", "%(number)s events retried.", number) % {"number": number}

    def rows_to_operate(self, request: HttpRequest, rows: QuerySet[ProviderEvent]) -> QuerySet[ProviderEvent]:
        return self.rows_with(request, rows, Power.OPERATE)

    @display(description=_("state"), ordering="state", label=STATE_COLORS)
    def state_label(self, event: ProviderEvent) -> tuple[str, str]:
        return (
            ("unconfigured", gettext("Not processed"))
            if event.verdict == Verdict.REFUSED
            else state_badge(event, inbox)
        )

    def replay(self, request: HttpRequest, event: ProviderEvent, _: str) -> str:
        return replay_event(event)

    @display(description=_("signature"), ordering="verdict", label=VERDICT_COLORS)
    def signature(self, event: ProviderEvent) -> tuple[str, str]:
        verdict = Verdict(event.verdict)
        return verdict.value, f"{verdict.label}: {event.reason}" if event.reason else str(verdict.label)

    @display(description=_("can be replayed"))
    def can_be_replayed(self, event: ProviderEvent) -> str:
        return obstacle_of(event) or gettext("Yes, with what is stored of it.")

    @display(description=_("subject"))
    def about(self, event: ProviderEvent) -> str:
        """Of a LiveKit event the room and who or what it is about, of VAPI's what it says; of others every field."""
        if event.source == "vapi":
            return details({name: event.fields.get(name) for name in VAPI_SHOWS}) or "–"
        if event.source != "livekit":
            return details(event.fields) or "–"
        about = {"room": event.partition_key}
        for name, field in (("participant", "identity"), ("track", "source"), ("egressInfo", "status")):
            part = event.fields.get(name)
            if isinstance(part, Mapping):
                about[name.removesuffix("Info")] = str(part.get(field, ""))
        return ", ".join(f"{name} {value}" for name, value in about.items() if value)

    @display(description=_("call"))
    def of_call(self, event: ProviderEvent) -> str:
        return call_link(event.call)

    @display(description=_("payload"))
    def content(self, event: ProviderEvent) -> str:
        return as_json(event.fields)

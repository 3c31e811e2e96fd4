"""The records of calls, to search across calls. A call's own page shows them together."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.roles import Area
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import as_json, display
from sessions.appointments.models import DraftAppointment
from sessions.calls.models import Call, CallEvent, CallListening, ToolCall, TranscriptLine, Turn
from sessions.orders.models import DraftOrder
from sessions.rooms.models import Participant, RoomAgent, RoomToken

from .call import call_link
from .display import AGENT_COLORS, offset_text, response_text, tool_sentence
from .event_text import event_sentence

T = TypeVar(
    "T", CallEvent, DraftAppointment, DraftOrder, Participant, RoomAgent, RoomToken, ToolCall, TranscriptLine, Turn
)


class CallRecordAdmin(ReadOnlyAdmin[T]):
    area = Area.CALLS
    list_select_related = ("call",)
    linkable = ("call",)
    readonly_fields: ClassVar[tuple[str, ...]] = ("of_call",)

    @display(description=_("call"))
    def of_call(self, row: T) -> str:
        return call_link(row.call)


@admin.register(TranscriptLine)
class TranscriptLineAdmin(CallRecordAdmin[TranscriptLine]):
    list_display = ("text", "speaker", "is_cut", "time_in_call", "of_call")
    list_filter = ("speaker", "is_cut")
    search_fields = ("text",)
    ordering = ("-id",)
    fields = ("of_call", "speaker", "text", "time_in_call", "turn", "is_cut", "item_id")
    readonly_fields = ("of_call", "time_in_call")

    @display(description=_("time in the call"), ordering="spoken_at_ms")
    def time_in_call(self, line: TranscriptLine) -> str:
        return offset_text(line.spoken_at_ms)


@admin.register(ToolCall)
class ToolCallAdmin(CallRecordAdmin[ToolCall]):
    list_display = ("sentence", "outcome_label", "duration_ms", "at", "of_call")
    list_display_links = ("sentence",)
    list_filter = ("name", "outcome", "at")
    ordering = ("-at",)
    fields = ("of_call", "sentence", "outcome_label", "at", "duration_ms", "shown_arguments", "result", "tool_call_id")
    readonly_fields = ("of_call", "sentence", "outcome_label", "shown_arguments", "result")

    @display(description=_("tool call"))
    def sentence(self, tool_call: ToolCall) -> str:
        return tool_sentence(tool_call)

    @display(
        description=_("outcome"),
        ordering="outcome",
        label={"done": "success", "refused": "warning", "failed": "danger"},
    )
    def outcome_label(self, tool_call: ToolCall) -> tuple[str, str]:
        return tool_call.outcome, tool_call.get_outcome_display()

    @display(description=_("arguments"))
    def shown_arguments(self, tool_call: ToolCall) -> str:
        return as_json(tool_call.arguments)

    @display(description=_("result"))
    def result(self, tool_call: ToolCall) -> str:
        return as_json(tool_call.output)


@admin.register(CallEvent)
class CallEventAdmin(CallRecordAdmin[CallEvent]):
    list_display = ("at", "sentence", "of_call")
    list_filter = ("at",)
    search_fields = ("kind",)
    ordering = ("-at",)
    fields = ("of_call", "sentence", "kind", "at", "detail_json")
    readonly_fields = ("of_call", "sentence", "detail_json")

    @display(description=_("event"), ordering="kind")
    def sentence(self, event: CallEvent) -> str:
        return event_sentence(event.kind, event.detail)

    @display(description=_("details"))
    def detail_json(self, event: CallEvent) -> str:
        return as_json(event.detail)


@admin.register(Turn)
class TurnAdmin(CallRecordAdmin[Turn]):
    list_display = ("number", "response", "detection_ms", "model_ms", "playout_ms", "is_interrupted", "of_call")
    list_filter = ("is_interrupted",)
    ordering = ("-id",)
    fields = ("of_call", "number", "response_ms", "detection_ms", "model_ms", "playout_ms", "is_interrupted")

    @display(description=_("response time"), ordering="response_ms")
    def response(self, turn: Turn) -> str:
        return response_text(turn.response_ms)


@admin.register(DraftOrder)
class DraftOrderAdmin(CallRecordAdmin[DraftOrder]):
    list_display = ("version", "read_back_version", "updated_at", "of_call")
    ordering = ("-updated_at",)
    fields = ("of_call", "version", "read_back_version", "read_back_turn", "updated_at", "content")
    readonly_fields = ("of_call", "content", "updated_at")

    @display(description=_("lines"))
    def content(self, draft: DraftOrder) -> str:
        return as_json(draft.lines)


@admin.register(DraftAppointment)
class DraftAppointmentAdmin(CallRecordAdmin[DraftAppointment]):
    list_display = ("version", "action", "service", "starts_at", "updated_at", "of_call")
    list_select_related = ("service",)
    ordering = ("-updated_at",)
    fields = (
        "of_call", "action", "service", "starts_at", "customer_name", "vehicle", "note", "version", "read_back_version",
        "read_back_turn", "carried_out_version", "appointment", "updated_at",
    )  # fmt: skip
    readonly_fields = ("of_call", "updated_at")


@admin.register(RoomAgent)
class RoomAgentAdmin(CallRecordAdmin[RoomAgent]):
    list_display = ("identity", "status_label", "voice", "model", "created_at", "of_call")
    list_display_links = ("identity",)
    list_filter = ("status", "created_at")
    search_fields = ("identity", "dispatch_id")
    ordering = ("-id",)
    fields = (
        "of_call", "identity", "status_label", "created_at", "joined_at", "disconnected_at", "voice", "model",
        "system_prompt", "dispatch_id",
    )  # fmt: skip
    readonly_fields = ("of_call", "status_label")

    @display(description=_("status"), ordering="status", label=AGENT_COLORS)
    def status_label(self, agent: RoomAgent) -> tuple[str, str]:
        return agent.status, agent.get_status_display()


@admin.register(CallListening)
class CallListeningAdmin(ReadOnlyAdmin[CallListening]):
    """Who listened in on which live call, and when."""

    area = Area.LISTENING
    list_display = ("began_at", "principal", "ended_at", "of_call", "organization")
    list_filter = ("began_at",)
    list_select_related = ("organization",)
    search_fields = ("principal", "=call_number")
    ordering = ("-began_at", "-id")
    fields = ("began_at", "ended_at", "principal", "of_call")
    readonly_fields = ("of_call",)

    @display(description=_("call"))
    def of_call(self, listening: CallListening) -> str:
        call = Call.objects.filter(pk=listening.call_number).select_related("organization").first()
        return call_link(call) if call else gettext("%(call)s (deleted)") % {"call": listening.call_number}

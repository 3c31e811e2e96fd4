"""Requests and responses of `/api/voice/calls`."""

from __future__ import annotations

from typing import Any

from django import forms
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import CallKind, CallState, Direction
from voiceapp.core.api.fields import ConstantField, MoneyField, TextField, TimestampField
from voiceapp.core.api.strict_json import StrictSerializer

from .filter_form import LARGEST_ID, CallFilterForm
from .outcomes import COMBINED, CallOutcome
from .paging import LONGEST_CURSOR, ListPage, ShownCall

MOST_LISTED = 100
# A key has one organization.
NOT_OFFERED = frozenset({"organization"})
FILTERS = tuple(name for name in CallFilterForm.base_fields if name not in NOT_OFFERED)
CALL_ID = "3f0e8c1a-5b7d-4a2e-9c6f-1d2e3f4a5b6c"


class CallsQuery(StrictSerializer):
    """The filters are those of the admin's list, by the names that its address has."""

    limit = serializers.IntegerField(default=50, min_value=1, max_value=MOST_LISTED)
    cursor = TextField(required=False, max_length=LONGEST_CURSOR, help_text="`next` of the former page.")

    def get_fields(self) -> dict[str, Any]:
        filters = {name: _documented(CallFilterForm.base_fields[name]) for name in FILTERS}
        filters["alert"] = serializers.UUIDField(required=False, help_text="An alert's ID: the calls behind it.")
        return {**filters, **super().get_fields()}


def _documented(field: Any) -> serializers.Field[Any, Any, Any, Any]:
    """How the form's field is described; the form itself reads the value."""
    options: dict[str, Any] = {"required": False, "help_text": f"{field.label}."}
    least, most = getattr(field, "min_value", None), getattr(field, "max_value", None)
    match type(field):
        case forms.ChoiceField if choices := [(value, label) for value, label in field.choices if value]:
            return serializers.ChoiceField(choices, **options)
        case forms.ChoiceField:  # an agent's ID
            return serializers.IntegerField(min_value=1, max_value=LARGEST_ID, **options)
        case forms.DateField:
            return serializers.DateField(**options)
        case forms.DecimalField:
            return serializers.FloatField(min_value=least, max_value=most, **options)
        case forms.IntegerField:
            return serializers.IntegerField(min_value=least, max_value=most, **options)
    return TextField(max_length=field.max_length, **options)


class CallBody(serializers.Serializer[ShownCall]):
    """One call. Money is text with two decimals; what the AI cost is text with six, in US dollars."""

    id = serializers.UUIDField(source="call.pk")
    orgId = serializers.UUIDField(source="call.organization_id", allow_null=True)
    kind = serializers.ChoiceField(CallKind.choices, source="call.kind")
    direction = serializers.ChoiceField(Direction.choices, source="call.direction")
    state = serializers.ChoiceField(CallState.choices, source="call.state")
    endReason = serializers.ChoiceField(
        [(each.value, each.label) for each in EndReason], source="call.end_reason", allow_blank=True
    )
    outcomes = serializers.ListField(
        child=serializers.ChoiceField([(each.value, each.label) for each in CallOutcome if each not in COMBINED])
    )
    startedAt = TimestampField(source="call.created_at")
    connectedAt = TimestampField(source="call.connected_at", allow_null=True)
    endedAt = TimestampField(source="call.ended_at", allow_null=True)
    durationS = serializers.IntegerField(source="call.duration_s", allow_null=True)
    callerNumber = serializers.CharField(
        source="caller_number", allow_blank=True, help_text="Its last digits, without the scope `caller_numbers:read`."
    )
    dialedNumber = serializers.CharField(source="dialed_number", allow_blank=True)
    agentId = serializers.IntegerField(source="call.agent_id", allow_null=True)
    agent = serializers.CharField(source="call.agent.name", allow_null=True)
    agentVersion = serializers.IntegerField(source="call.agent_version.number", allow_null=True)
    turns = serializers.IntegerField()
    medianResponseMs = serializers.IntegerField(source="median_response_ms", allow_null=True)
    slowestResponseMs = serializers.IntegerField(source="call.slowest_response_ms", allow_null=True)
    interruptions = serializers.IntegerField(source="call.interruptions")
    orderTotal = MoneyField(source="figures.total", allow_null=True, help_text="Of its orders together.")
    currency = serializers.CharField(source="figures.currency", allow_blank=True, help_text="Of the orders.")
    costUsd = serializers.DecimalField(10, 6, source="call.cost_usd", allow_null=True)
    transferredTo = serializers.CharField(source="call.transferred_to", allow_blank=True)
    roomName = serializers.CharField(source="call.room_name", allow_null=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "found",
            {
                "success": True,
                "calls": [
                    {
                        "id": CALL_ID,
                        "orgId": "8b1f2a9e-3c4d-4e5f-8a6b-7c8d9e0f1a2b",
                        "kind": "phone",
                        "direction": "inbound",
                        "state": "completed",
                        "endReason": "agent_hung_up",
                        "outcomes": ["order"],
                        "startedAt": "2024-01-01T00:00:00Z",
                        "connectedAt": "2024-01-01T00:00:02Z",
                        "endedAt": "2024-01-01T00:01:40Z",
                        "durationS": 98,
                        "callerNumber": "…67",
                        "dialedNumber": "+493023125001",
                        "agentId": 1,
                        "agent": "Phone",
                        "agentVersion": 3,
                        "turns": 7,
                        "medianResponseMs": 820,
                        "slowestResponseMs": 1900,
                        "interruptions": 1,
                        "orderTotal": "29.00",
                        "currency": "EUR",
                        "costUsd": "0.182000",
                        "transferredTo": "",
                        "roomName": None,
                    }
                ],
                "next": None,
            },
        )
    ]
)
class CallsResponse(serializers.Serializer[ListPage]):
    success = ConstantField(True)
    calls = CallBody(many=True)
    next = serializers.SerializerMethodField(help_text="For `cursor` of the next page; null on the last.")

    def get_next(self, page: ListPage) -> str | None:
        return page.next or None

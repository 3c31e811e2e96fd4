"""Appointments as they are sent to webhooks, and requests and responses of the internal API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from sessions.orders.serializers import ORG_ID, MillisecondsField
from voiceapp.core.api.fields import LineField, MoneyField
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.phones.numbers import LONGEST_TYPED

from .models import LONGEST_CUSTOMER, LONGEST_NOTE, LONGEST_VEHICLE, Appointment, BookedResource
from .wishes.reading import LONGEST_WISH


class BookedResourceBody(serializers.Serializer[BookedResource]):
    id = serializers.IntegerField(source="resource_id")
    name = serializers.CharField(source="resource.name")
    kind = serializers.CharField(source="resource.kind")


class AppointmentBody(serializers.Serializer[Appointment]):
    """Times are ISO 8601 in UTC; money is text with two decimals."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    orgId = serializers.UUIDField(source="organization_id")
    callId = serializers.UUIDField(source="call_id", allow_null=True, help_text="The call that booked it.")
    state = serializers.CharField()
    version = serializers.IntegerField(help_text="Rises with every change.")
    createdAt = MillisecondsField(source="created_at")
    startsAt = MillisecondsField(source="starts_at")
    endsAt = MillisecondsField(source="ends_at")
    timeZone = serializers.CharField(source="organization.time_zone", help_text="An IANA time zone.")
    serviceId = serializers.IntegerField(source="service_id", allow_null=True)
    service = serializers.CharField(source="service_name")
    price = MoneyField(allow_null=True, help_text="Null: it depends on the work.")
    currency = serializers.CharField()
    resources = BookedResourceBody(many=True, source="booked.all")
    customerName = serializers.CharField(source="customer_name")
    customerNumber = serializers.CharField(source="customer_number", allow_blank=True)
    vehicle = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)
    madeBy = serializers.CharField(source="made_by")
    cancelReason = serializers.CharField(source="cancel_reason", allow_blank=True)


class TimesQuery(StrictSerializer):
    orgId = serializers.UUIDField(help_text="The organization.")
    service = LineField(max_length=80, help_text="A service by a name that callers may use.")
    when = LineField(
        max_length=LONGEST_WISH, required=False, allow_blank=True,
        help_text="English or German words, like “next Friday morning”, or `2026-12-04 09:00`; empty: as soon as "
        "possible.",
    )  # fmt: skip


class OfferedTimeBody(serializers.Serializer[Any]):
    startsAt = MillisecondsField(source="starts_at")
    say = serializers.CharField(help_text="The time as the agent says it.")


class TimesResponse(serializers.Serializer[Any]):
    service = serializers.CharField()
    say = serializers.CharField(help_text="A sentence to say.")
    asWished = serializers.BooleanField(source="as_wished", help_text="False: these are the nearest times.")
    times = OfferedTimeBody(many=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "an oil change",
            {
                "orgId": ORG_ID,
                "service": "Oil change",
                "time": "2026-12-04T08:00:00Z",
                "customerName": "Alice",
                "vehicle": "VW Golf",
            },
        )
    ]
)
class BookAppointmentRequest(StrictSerializer):
    """There is no field for a price or a length: they are the service's."""

    orgId = serializers.UUIDField()
    callId = serializers.UUIDField(required=False, allow_null=True)
    service = LineField(max_length=80, help_text="A service by a name that callers may use.")
    time = LineField(
        max_length=LONGEST_WISH,
        help_text="One day and time in English or German words, as `2026-12-04 09:00` on the organization's clock, or "
        "as the `startsAt` of an offered time.",
    )
    customerName = LineField(max_length=LONGEST_CUSTOMER)
    customerNumber = serializers.CharField(
        max_length=LONGEST_TYPED,
        required=False,
        allow_blank=True,
        help_text="In any notation; without a country code, of the organization's country. Kept as E.164.",
    )
    vehicle = LineField(max_length=LONGEST_VEHICLE, required=False, allow_blank=True)
    note = LineField(max_length=LONGEST_NOTE, required=False, allow_blank=True)


class BookAppointmentResponse(serializers.Serializer[Appointment]):
    appointment = AppointmentBody(source="*")

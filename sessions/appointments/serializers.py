"""An appointment as it is sent to its organization's webhook."""

from __future__ import annotations

from rest_framework import serializers

from sessions.orders.serializers import MillisecondsField
from voiceapp.core.api.fields import MoneyField

from .models import Appointment, BookedResource


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

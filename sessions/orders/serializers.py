"""An order as other software reads it, and the request of the internal API that places one.

Documented field by field in docs/reference/webhooks.md.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from sessions.orders.draft.changes import MOST_CHANGES
from sessions.orders.draft.choices import MOST_MODIFIERS
from sessions.orders.draft.names import LONGEST_NAME
from sessions.orders.draft.requests import HUGE, LONGEST_NOTE
from sessions.orders.models import Order, OrderLine, OrderModifier
from sessions.orders.pos_ids import with_pos_ids
from voiceapp.core.api.fields import LineField, MoneyField
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.phones.numbers import LONGEST_TYPED

ORG_ID = "3f0e8c1a-5b7d-4a2e-9c6f-1d2e3f4a5b6c"


class OrderLineRequest(StrictSerializer):
    """One line, by the names of the menu."""

    item = LineField(max_length=LONGEST_NAME)
    size = LineField(max_length=LONGEST_NAME, required=False, allow_blank=True)
    quantity = serializers.IntegerField(min_value=1, max_value=HUGE, required=False)
    modifiers = serializers.ListField(
        child=LineField(max_length=LONGEST_NAME), max_length=MOST_MODIFIERS, required=False
    )
    note = LineField(max_length=LONGEST_NOTE, required=False, allow_blank=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "two pizzas",
            {
                "orgId": ORG_ID,
                "lines": [{"item": "Margherita", "size": "large", "quantity": 2, "modifiers": ["extra cheese"]}],
                "customerName": "Alice",
            },
        )
    ]
)
class SubmitOrderRequest(StrictSerializer):
    """Prices have no field: they are the menu's."""

    orgId = serializers.UUIDField()
    callId = serializers.UUIDField(required=False, allow_null=True)
    customerName = LineField(max_length=120, required=False, allow_blank=True)
    customerNumber = serializers.CharField(
        max_length=LONGEST_TYPED,
        required=False,
        allow_blank=True,
        help_text="In any notation; without a country code, of the organization's country. Kept as E.164.",
    )
    note = LineField(max_length=300, required=False, allow_blank=True)
    lines = serializers.ListField(child=OrderLineRequest(), allow_empty=False, min_length=1, max_length=MOST_CHANGES)


class MillisecondsField(serializers.DateTimeField):
    """ISO 8601 in UTC with milliseconds and a Z."""

    def to_representation(self, value: dt.datetime) -> str:
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"


class OrderModifierBody(serializers.Serializer[OrderModifier]):
    id = serializers.IntegerField(source="modifier_id", allow_null=True)
    group = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    price = MoneyField()
    posId = serializers.CharField(source="pos_id", allow_blank=True)
    under = serializers.CharField(source="parent.name", allow_null=True, help_text="The modifier that it belongs to.")


class OrderLines(serializers.ListSerializer[OrderLine]):
    def to_representation(self, data: Any) -> list[Any]:
        known = getattr(getattr(data, "instance", None), "_prefetched_objects_cache", {})
        if "lines" in known:  # with all that is written of them: an export reads many orders at once
            return super().to_representation(data.all())
        lines = data.prefetch_related("modifiers__parent").order_by("position")
        return super().to_representation(with_pos_ids(lines))


class OrderLineBody(serializers.Serializer[OrderLine]):
    class Meta:
        list_serializer_class = OrderLines

    position = serializers.IntegerField()
    itemId = serializers.IntegerField(source="item_id", allow_null=True)
    item = serializers.CharField()
    size = serializers.CharField(allow_blank=True)
    sizeId = serializers.IntegerField(source="size_id", allow_null=True)
    posId = serializers.CharField(
        source="pos_id", allow_blank=True, help_text="Of the size, else of the item, in the menu as it is now."
    )
    quantity = serializers.IntegerField()
    unitPrice = MoneyField(source="unit_price")
    price = MoneyField()
    note = serializers.CharField(allow_blank=True)
    modifiers = OrderModifierBody(many=True)


class ReplacedOrderBody(serializers.Serializer[Order]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()


class DeliveryBody(serializers.Serializer[Order]):
    street = serializers.CharField(allow_blank=True)
    postcode = serializers.CharField(allow_blank=True)
    place = serializers.CharField(allow_blank=True)
    zone = serializers.CharField(allow_blank=True)


class OrderBody(serializers.Serializer[Order]):
    """Money is text with two decimals."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    orgId = serializers.UUIDField(source="organization_id")
    callId = serializers.UUIDField(source="call_id", allow_null=True)
    state = serializers.CharField()
    createdAt = MillisecondsField(source="created_at")
    customerName = serializers.CharField(source="customer_name", allow_blank=True)
    customerNumber = serializers.CharField(source="customer_number", allow_blank=True)
    note = serializers.CharField(allow_blank=True)
    currency = serializers.CharField()
    lines = OrderLineBody(many=True)
    delivery = serializers.SerializerMethodField(help_text="Null: the order is picked up.")
    deliveryFee = MoneyField(source="delivery_fee")
    subtotal = MoneyField()
    tax = MoneyField()
    total = MoneyField()
    replaces = ReplacedOrderBody(allow_null=True)

    @extend_schema_field(DeliveryBody(allow_null=True))
    def get_delivery(self, order: Order) -> dict[str, object] | None:
        return dict(DeliveryBody(order).data) if order.is_delivery else None


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "placed",
            {
                "order": {
                    "id": "8b1f2a9e-3c4d-4e5f-8a6b-7c8d9e0f1a2b",
                    "number": 17,
                    "orgId": ORG_ID,
                    "callId": None,
                    "state": "submitted",
                    "createdAt": "2024-01-01T00:00:00.000Z",
                    "customerName": "Alice",
                    "customerNumber": "",
                    "note": "",
                    "currency": "EUR",
                    "lines": [
                        {
                            "position": 1,
                            "itemId": 4,
                            "item": "Margherita",
                            "size": "large",
                            "sizeId": 2,
                            "posId": "1204",
                            "quantity": 2,
                            "unitPrice": "13.50",
                            "price": "27.00",
                            "note": "",
                            "modifiers": [
                                {
                                    "id": 9,
                                    "group": "Extras",
                                    "name": "extra cheese",
                                    "quantity": 1,
                                    "price": "1.50",
                                    "posId": "77",
                                    "under": None,
                                }
                            ],
                        }
                    ],
                    "delivery": None,
                    "deliveryFee": "0.00",
                    "subtotal": "27.00",
                    "tax": "2.70",
                    "total": "29.70",
                    "replaces": None,
                }
            },
        )
    ]
)
class SubmitOrderResponse(serializers.Serializer[Order]):
    order = OrderBody(source="*")

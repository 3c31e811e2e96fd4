"""The internal API in the documentation; docs/internal-api.md tells more."""

from __future__ import annotations

from rest_framework import serializers

from sessions.orders.api import NO_ORGANIZATION, NotSavedNow, OrgConfigView, SubmitOrderSerializer, SubmitOrderView
from sessions.orders.draft.changes import MOST_CHANGES
from voiceapp.core.api.errors import Refusal
from voiceapp.core.api.schema import Area, Header, Operation, Sample, describe
from voiceapp.core.api.schema.refusals import wrong_fields

from .menu import OrganizationTold, OrgConfigQuery, money

INTERNAL = Area(
    "Internal",
    "For our own machines: a bridge that has no database asks the main app. It takes `INTERNAL_API_KEY` alone.",
    place=90,
)
UNKNOWN = Refusal(404, "not_found", NO_ORGANIZATION)
REPLAYED = Header("Idempotent-Replayed", "`true` if this order was placed before by the same key.")
ORDER_ID = "8b1f2a9e-3c4d-4e5f-8a6b-7c8d9e0f1a2b"
ORG_ID = "3f0e8c1a-5b7d-4a2e-9c6f-1d2e3f4a5b6c"


class ModifierOrdered(serializers.Serializer[object]):
    id = serializers.IntegerField(allow_null=True)
    group = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    price = money()
    under = serializers.CharField(allow_null=True, help_text="The modifier that it belongs to.")


class LineOrdered(serializers.Serializer[object]):
    position = serializers.IntegerField()
    itemId = serializers.IntegerField(allow_null=True)
    item = serializers.CharField()
    size = serializers.CharField(allow_blank=True)
    quantity = serializers.IntegerField()
    unitPrice = money()
    price = money()
    note = serializers.CharField(allow_blank=True)
    modifiers = ModifierOrdered(many=True)


class ReplacedOrder(serializers.Serializer[object]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()


class OrderShown(serializers.Serializer[object]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    orgId = serializers.UUIDField()
    callId = serializers.UUIDField(allow_null=True)
    state = serializers.CharField()
    createdAt = serializers.DateTimeField()
    customerName = serializers.CharField(allow_blank=True)
    customerNumber = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)
    currency = serializers.CharField()
    lines = LineOrdered(many=True)
    subtotal = money()
    tax = money()
    total = money()
    replaces = ReplacedOrder(allow_null=True)


class OrderPlaced(serializers.Serializer[object]):
    order = OrderShown()


describe(
    OrgConfigView,
    get=Operation(
        "readOrganization",
        INTERNAL,
        "Read an organization",
        "Its agent fully briefed, its menu and its people, at this moment.",
        query=OrgConfigQuery,
        answers=(OrganizationTold,),
        refusals=(wrong_fields(orgId="Name the organization."), UNKNOWN),
        samples=(Sample("Read the demo", query={"orgId": "$ORG"}),),
        credential="internal",
    ),
)
describe(
    SubmitOrderView,
    post=Operation(
        "submitOrder",
        INTERNAL,
        "Submit an order",
        "By the names of the menu. There is no field for a price: prices, tax and limits are the menu's at this "
        "moment. The same key and body again answer the same order.",
        headers=(
            Header(
                "Idempotency-Key",
                "1 to 128 visible ASCII characters, one per order of a call, or of the organization without one.",
                is_required=True,
                schema={"type": "string", "pattern": r"^[\x21-\x7e]{1,128}$"},
            ),
        ),
        body=SubmitOrderSerializer,
        refined={"lines": {"minItems": 1, "maxItems": MOST_CHANGES}},
        asked={
            "two pizzas": {
                "orgId": ORG_ID,
                "lines": [{"item": "Margherita", "size": "large", "quantity": 2, "modifiers": ["extra cheese"]}],
                "customerName": "Alice",
            }
        },
        status=201,
        answers=(OrderPlaced,),
        answer_headers=(REPLAYED,),
        answered={
            "placed": {
                "order": {
                    "id": ORDER_ID,
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
                                    "under": None,
                                }
                            ],
                        }
                    ],
                    "subtotal": "27.00",
                    "tax": "2.70",
                    "total": "29.70",
                    "replaces": None,
                }
            }
        },
        refusals=(
            wrong_fields(lines="This field is required."),
            UNKNOWN,
            Refusal(422, "unknown_call", "The organization has no such call."),
            Refusal(422, "idempotency_key_reused", "This key belongs to another order."),
            Refusal(422, "order_refused", "We are out of tiramisu. We have panna cotta instead."),
            Refusal(503, "service_unavailable", NotSavedNow.default_detail),
        ),
        samples=(
            Sample(
                "Order two pizzas",
                headers={"Idempotency-Key": "order-$RANDOM$RANDOM"},
                body={"orgId": "$ORG", "lines": [{"item": "Margherita", "quantity": 2}], "customerName": "Alice"},
            ),
        ),
        credential="internal",
    ),
)

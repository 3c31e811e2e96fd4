"""`POST /api/realtime/submit-order`: a bridge without a database, or another machine of ours, places an order."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.idempotency.api import PARAMETERS, Submission
from sessions.orders.draft import Refused
from sessions.orders.serializers import SubmitOrderRequest, SubmitOrderResponse
from sessions.orders.services.direct_orders import DirectOrder, place_directly
from voiceapp.core.api.errors import Problem
from voiceapp.core.api.internal_key import InternalView
from voiceapp.core.api.openapi import samples
from voiceapp.core.api.samples import Sample

# The message says which rule of the menu stood against it.
ORDER_REFUSED = Problem(422, message="We are out of tiramisu. We have panna cotta instead.", code="order_refused")
NOT_SAVED = Problem(503, message="The order could not be saved. Send it again with the same key.")
SUBMISSION = Submission(
    body=SubmitOrderRequest,
    response=SubmitOrderResponse,
    needs="lines",
    refused={Refused: ORDER_REFUSED},
    not_saved=NOT_SAVED,
)


class SubmitOrderView(InternalView):
    """Once per Idempotency-Key."""

    @extend_schema(
        operation_id="submitOrder",
        tags=["Internal"],
        summary="Submit an order",
        description="By the names of the menu. There is no field for a price: prices, tax and limits are those of the "
        "menu now. The same key and body again return the same order.",
        parameters=PARAMETERS,
        request=SubmitOrderRequest,
        responses=SUBMISSION.responses,
        extensions=samples(
            Sample(
                "Order two pizzas",
                headers={"Idempotency-Key": "order-$RANDOM$RANDOM"},
                body={"orgId": "$ORG", "lines": [{"item": "Margherita", "quantity": 2}], "customerName": "Alice"},
                key="INTERNAL_API_KEY",
            )
        ),
    )
    def post(self, request: Request) -> Response:
        body, identity = SUBMISSION.read(request)
        wish = DirectOrder(
            **identity,
            lines=body["lines"],
            customer_name=str(body.get("customerName", "")),
            customer_number=str(body.get("customerNumber", "")),
            note=str(body.get("note", "")),
        )
        return SUBMISSION.respond(lambda: place_directly(wish, now=timezone.now()))

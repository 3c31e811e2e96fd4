"""`POST /api/realtime/submit-order`: a bridge without a database, or another machine of ours, places an order."""

from __future__ import annotations

import hashlib
import json
import re

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.models import Organization
from sessions.orders.draft import Refused
from sessions.orders.serializers import SubmitOrderRequest, SubmitOrderResponse
from sessions.orders.services.direct_orders import DirectOrder, KeyReused, NumberRefused, UnknownCall, place_directly
from voiceapp.core.api.errors import Problem, raised_as
from voiceapp.core.api.internal_key import InternalView
from voiceapp.core.api.openapi import errors, samples
from voiceapp.core.api.samples import Sample
from voiceapp.core.transactions import NotSaved

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,128}")
NO_ORGANIZATION = Problem(404, message="There is no such organization.")
UNKNOWN_CALL = Problem(422, message=UnknownCall.message, code="unknown_call")
KEY_REUSED = Problem(422, message=KeyReused.message, code="idempotency_key_reused")
# The message says which rule of the menu stood against it.
ORDER_REFUSED = Problem(422, message="We are out of tiramisu. We have panna cotta instead.", code="order_refused")
NOT_SAVED = Problem(503, message="The order could not be saved. Send it again with the same key.")
RETRY_AFTER_S = 1
IDEMPOTENCY_PARAMETER = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    required=True,
    description="1 to 128 visible ASCII characters, one per order of a call, or of the organization without one.",
    pattern=f"^{IDEMPOTENCY_KEY.pattern}$",
)


def read_idempotency_key(request: Request) -> str:
    """The key in the header; 400 for one that is missing or odd."""
    key = request.headers.get("Idempotency-Key", "")
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise ValidationError({"Idempotency-Key": ["Send a header of 1 to 128 visible ASCII characters."]})
    return key


def digest_of(sent: object) -> str:
    """Of what was sent, not of what it was read as: the same key with another body is a mistake of the sender."""
    return hashlib.sha256(json.dumps(sent, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class SubmitOrderView(InternalView):
    """Once per Idempotency-Key."""

    @extend_schema(
        operation_id="submitOrder",
        tags=["Internal"],
        summary="Submit an order",
        description="By the names of the menu. There is no field for a price: prices, tax and limits are those of the "
        "menu now. The same key and body again return the same order.",
        parameters=[
            IDEMPOTENCY_PARAMETER,
            OpenApiParameter(
                "Idempotent-Replayed",
                location=OpenApiParameter.HEADER,
                response=[201],
                description="`true` if this order was placed before by the same key.",
            ),
        ],
        request=SubmitOrderRequest,
        responses={
            201: SubmitOrderResponse,
            **errors(
                SubmitOrderRequest.invalid({"lines": ["This field is required."]}),
                NO_ORGANIZATION,
                UNKNOWN_CALL,
                KEY_REUSED,
                ORDER_REFUSED,
                NOT_SAVED,
            ),
        },
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
        key = read_idempotency_key(request)
        wish = _wish(SubmitOrderRequest.of_body(request), key, request.data)
        try:
            with raised_as({UnknownCall: UNKNOWN_CALL, KeyReused: KEY_REUSED}):
                order, was_placed = place_directly(wish, now=timezone.now())
        except Organization.DoesNotExist as exc:
            raise NO_ORGANIZATION.error() from exc
        except NumberRefused as exc:
            raise SubmitOrderRequest.invalid({"customerNumber": [str(exc)]}).error() from exc
        except Refused as exc:
            raise ORDER_REFUSED.error(exc.say) from exc
        except NotSaved as exc:
            raise NOT_SAVED.error(retry_after_s=RETRY_AFTER_S) from exc
        headers = {"Idempotent-Replayed": "true"} if was_placed else None
        return Response(SubmitOrderResponse(order).data, status=status.HTTP_201_CREATED, headers=headers)


def _wish(body: dict[str, object], key: str, sent: object) -> DirectOrder:
    return DirectOrder(
        organization_id=body["orgId"],  # type: ignore[arg-type]
        idempotency_key=key,
        request_digest=digest_of(sent),
        lines=body["lines"],  # type: ignore[arg-type]
        call_id=body.get("callId"),  # type: ignore[arg-type]
        customer_name=str(body.get("customerName", "")),
        customer_number=str(body.get("customerNumber", "")),
        note=str(body.get("note", "")),
    )

"""The internal API: a bridge that has no database asks for an organization's configuration and submits orders."""

from __future__ import annotations

import hashlib
import json
import re
import uuid

from django.utils import timezone
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.models import Organization
from sessions.orders.draft.changes import MOST_CHANGES
from sessions.orders.draft.choices import MOST_MODIFIERS
from sessions.orders.draft.names import LONGEST_NAME
from sessions.orders.draft.requests import HUGE, LONGEST_NOTE
from sessions.orders.services.direct_orders import DirectOrder, KeyReused, NumberRefused, UnknownCall, place_directly
from sessions.tools.organization_config import org_config
from voiceapp.core.api.internal_key import InternalKeyAuthentication
from voiceapp.core.api.strict_fields import LineField
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.limits.views import LimitedView
from voiceapp.core.phones.numbers import LONGEST_TYPED
from voiceapp.core.transactions import NotSaved

from .draft import Refused
from .order_body import order_body

NO_ORGANIZATION = "There is no such organization."
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,128}")


class Unprocessable(APIException):
    """Understood, but not possible; `code` says which rule stood against it."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY

    def __init__(self, message: str, code: str) -> None:
        super().__init__({"detail": message, "code": code})


class NotSavedNow(APIException):
    """The database refused; the same request may be sent again with the same key."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The order could not be saved. Send it again with the same key."
    wait = 1


class LineSerializer(StrictSerializer):
    """One line, by the names of the menu."""

    item = LineField(max_length=LONGEST_NAME)
    size = LineField(max_length=LONGEST_NAME, required=False, allow_blank=True)
    quantity = serializers.IntegerField(min_value=1, max_value=HUGE, required=False)
    modifiers = serializers.ListField(
        child=LineField(max_length=LONGEST_NAME), max_length=MOST_MODIFIERS, required=False
    )
    note = LineField(max_length=LONGEST_NOTE, required=False, allow_blank=True)


class SubmitOrderSerializer(StrictSerializer):
    """The body of submit-order. Prices have no field: they are the menu's."""

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
    lines = serializers.ListField(child=LineSerializer(), allow_empty=False, max_length=MOST_CHANGES)


class InternalView(LimitedView):
    """An endpoint for the internal key alone. Wrong keys are limited, right ones are not."""

    authentication_classes = [InternalKeyAuthentication]


class OrgConfigView(InternalView):
    """GET /api/realtime/org-config?orgId=…"""

    def get(self, request: Request) -> Response:
        named = request.query_params.get("orgId", "")
        if not named:
            raise ValidationError({"orgId": ["Name the organization."]})
        try:
            organization = Organization.objects.get(pk=uuid.UUID(named))
        except (ValueError, Organization.DoesNotExist) as exc:
            raise NotFound(NO_ORGANIZATION) from exc
        return Response(org_config(organization, now=timezone.now()))


class SubmitOrderView(InternalView):
    """POST /api/realtime/submit-order, once per Idempotency-Key."""

    def post(self, request: Request) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not IDEMPOTENCY_KEY.fullmatch(key):
            raise ValidationError({"Idempotency-Key": ["Send a header of 1 to 128 visible ASCII characters."]})
        body = SubmitOrderSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            order, was_placed = place_directly(_wish(body.validated_data, key, request.data), now=timezone.now())
        except Organization.DoesNotExist as exc:
            raise NotFound(NO_ORGANIZATION) from exc
        except NumberRefused as exc:
            raise ValidationError({"customerNumber": [str(exc)]}) from exc
        except UnknownCall as exc:
            raise Unprocessable("The organization has no such call.", "unknown_call") from exc
        except KeyReused as exc:
            raise Unprocessable("This key belongs to another order.", "idempotency_key_reused") from exc
        except Refused as exc:
            raise Unprocessable(exc.say, "order_refused") from exc
        except NotSaved as exc:
            raise NotSavedNow from exc
        headers = {"Idempotent-Replayed": "true"} if was_placed else None
        return Response({"order": order_body(order)}, status=status.HTTP_201_CREATED, headers=headers)


def _wish(body: dict[str, object], key: str, sent: object) -> DirectOrder:
    # What was sent, not what it was read as: the same key with another body is a mistake of the sender.
    canonical = json.dumps(sent, sort_keys=True, separators=(",", ":")).encode()
    return DirectOrder(
        organization_id=body["orgId"],  # type: ignore[arg-type]
        idempotency_key=key,
        request_digest=hashlib.sha256(canonical).hexdigest(),
        lines=body["lines"],  # type: ignore[arg-type]
        call_id=body.get("callId"),  # type: ignore[arg-type]
        customer_name=str(body.get("customerName", "")),
        customer_number=str(body.get("customerNumber", "")),
        note=str(body.get("note", "")),
    )

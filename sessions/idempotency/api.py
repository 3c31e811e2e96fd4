"""What `POST /api/realtime/submit-order` and `…/book-appointment` share: once per `Idempotency-Key`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from agents.organizations.models import Organization
from voiceapp.core.api.errors import Problem, raised_as
from voiceapp.core.api.openapi import errors
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.transactions import NotSaved

from .requests import KeyReused, NumberRefused, UnknownCall

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,128}")
NO_ORGANIZATION = Problem(404, message="There is no such organization.")
UNKNOWN_CALL = Problem(422, message=UnknownCall.message, code="unknown_call")
KEY_REUSED = Problem(422, message=KeyReused.message, code="idempotency_key_reused")
RETRY_AFTER_S = 1
PARAMETERS = [
    OpenApiParameter(
        "Idempotency-Key",
        location=OpenApiParameter.HEADER,
        required=True,
        description="1 to 128 visible ASCII characters, one per request of a call, or of the organization without one.",
        pattern=f"^{IDEMPOTENCY_KEY.pattern}$",
    ),
    OpenApiParameter(
        "Idempotent-Replayed",
        location=OpenApiParameter.HEADER,
        response=[201],
        description="`true` if the same key had made this before.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """An endpoint that makes one thing. `needs`: a field of the body, for the example of an invalid one.

    `refused`: what a service's exception says to the caller; `not_saved`: what to do after a fault of the database.
    """

    body: type[StrictSerializer]
    response: type[Serializer[Any]]
    needs: str
    refused: Mapping[type[Exception], Problem]
    not_saved: Problem

    @property
    def responses(self) -> dict[int, Any]:
        """For the documentation."""
        invalid = self.body.invalid({self.needs: ["This field is required."]})
        problems = (invalid, NO_ORGANIZATION, UNKNOWN_CALL, KEY_REUSED, *self.refused.values(), self.not_saved)
        return {201: self.response, **errors(*problems)}

    def read(self, request: Request) -> tuple[dict[str, Any], dict[str, Any]]:
        """The body, and the fields of the IdempotentRequest."""
        key = _read_key(request)
        body = self.body.of_body(request)
        return body, {
            "organization_id": body["orgId"],
            "idempotency_key": key,
            "request_digest": _digest_of(request.data),
            "call_id": body.get("callId"),
        }

    def respond(self, make: Callable[[], tuple[Any, bool]]) -> Response:
        """`make` returns what was made, and whether it had been made before."""
        try:
            with raised_as({UnknownCall: UNKNOWN_CALL, KeyReused: KEY_REUSED, **self.refused}):
                made, was_made = make()
        except Organization.DoesNotExist as exc:
            raise NO_ORGANIZATION.error() from exc
        except NumberRefused as exc:
            raise self.body.invalid({"customerNumber": [str(exc)]}).error() from exc
        except NotSaved as exc:
            raise self.not_saved.error(retry_after_s=RETRY_AFTER_S) from exc
        headers = {"Idempotent-Replayed": "true"} if was_made else None
        return Response(self.response(made).data, status=status.HTTP_201_CREATED, headers=headers)


def _read_key(request: Request) -> str:
    """The key in the header; 400 for one that is missing or odd."""
    key = request.headers.get("Idempotency-Key", "")
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise ValidationError({"Idempotency-Key": ["Send a header of 1 to 128 visible ASCII characters."]})
    return key


def _digest_of(sent: object) -> str:
    """Of what was sent, not of what it was read as: the same key with another body is a mistake of the sender."""
    return hashlib.sha256(json.dumps(sent, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

"""What other machines submit whole, once per idempotency key: an order, an appointment."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from agents.organizations.models import Organization
from sessions.calls.models import Call
from voiceapp.core.errors import ApplicationError
from voiceapp.core.phones.numbers import read_caller, read_number


class KeyReused(ApplicationError):
    """The idempotency key belongs to another request."""

    message = "This key belongs to another request."


class NumberRefused(ApplicationError):
    """The customer's number is invalid; the message says what to write."""


class UnknownCall(ApplicationError):
    """No call of that id belongs to the organization."""

    message = "The organization has no such call."


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentRequest:
    """Whose it is, and by which key it is known again."""

    organization_id: uuid.UUID
    idempotency_key: str
    request_digest: str
    call_id: uuid.UUID | None = None

    @property
    def scoped_key(self) -> str:
        """A key is unique in its call: clients count in each call, or use the model's tool call id."""
        return f"{self.call_id}:{self.idempotency_key}" if self.call_id else self.idempotency_key


M = TypeVar("M", bound=Any)


def made_before(rows: QuerySet[M], request: IdempotentRequest) -> M | None:
    """What the same request has made, if it came before; raises KeyReused for another one with its key.

    In the transaction that makes it, while the organization is locked.
    """
    earlier = rows.filter(organization=request.organization_id, idempotency_key=request.scoped_key).first()
    if earlier is not None and earlier.request_digest != request.request_digest:
        raise KeyReused
    return earlier


def call_of(organization: Organization, call_id: uuid.UUID | None) -> Call | None:
    """The organization's call of that id, if one is named; raises UnknownCall."""
    if call_id is None:
        return None
    call = Call.objects.filter(organization=organization, pk=call_id).first()
    if call is None:
        raise UnknownCall
    return call


def customer_number_of(organization: Organization, typed: str, call: Call | None) -> str:
    """E.164 of a number in the organization's notation, by default that of the call; raises NumberRefused."""
    if not typed:
        return read_caller(call.caller_number).number if call else ""
    try:
        return read_number(typed, region=organization.region)
    except ValidationError as exc:
        raise NumberRefused(exc.messages[0]) from exc

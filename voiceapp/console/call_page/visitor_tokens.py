"""What a visitor's page proves who it is by, without a cookie, which a frame of another site would not send.

A token names the organization and nothing else. It begins one call within half an hour, and follows that call.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from django.core import signing
from django.utils import timezone

# Without a colon: the token is also a subprotocol of a websocket.
SIGNER = signing.TimestampSigner(salt="voiceapp.visitor_token", sep=".")
BEGINS_WITHIN = dt.timedelta(minutes=30)
# Longer than any visitor's call.
VALID_FOR = dt.timedelta(hours=2)


class TokenExpired(Exception):
    """The page was open for too long."""


class TokenForged(Exception):
    """It is not ours, or of another organization."""


@dataclass(frozen=True, slots=True)
class VisitorToken:
    """`id` is random: it names the visitor, who has no other name."""

    id: str
    organization_id: UUID
    issued_at: dt.datetime

    @classmethod
    def issue(cls, organization_id: UUID) -> tuple[str, Self]:
        """The token's text, and the token."""
        token = cls(secrets.token_hex(16), organization_id, timezone.now())
        return SIGNER.sign_object([token.id, str(organization_id), int(token.issued_at.timestamp())]), token

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises TokenExpired and TokenForged."""
        try:
            token_id, organization_id, issued_at = SIGNER.unsign_object(text, max_age=VALID_FOR)
            return cls(str(token_id), UUID(organization_id), dt.datetime.fromtimestamp(issued_at, dt.UTC))
        except signing.SignatureExpired as exc:
            raise TokenExpired from exc
        except (signing.BadSignature, ValueError, TypeError) as exc:
            raise TokenForged from exc

    @property
    def may_begin(self) -> bool:
        return timezone.now() - self.issued_at < BEGINS_WITHIN

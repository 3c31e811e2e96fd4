"""The addresses that the carrier requests for a transfer. They name its row; the signature covers them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from telephony.twilio.twiml import public_url

from .models import TransferAttempt

# Requested again by the carrier where we fail, as while a process is replaced (protocols A8).
RETRIED = "#rp=all&rc=5"


@dataclass(frozen=True, slots=True)
class LegUrls:
    """Of the person's leg."""

    answered: str
    pressed: str
    over: str
    status: str


def leg_urls(attempt: TransferAttempt) -> LegUrls:
    query = f"?attempt={attempt.pk}"
    return LegUrls(
        answered=public_url(f"/twiml/transfer/answered{query}{RETRIED}"),
        pressed=public_url(f"/twiml/transfer/pressed{query}{RETRIED}"),
        over=public_url(f"/twiml/transfer/person-over{query}"),
        status=public_url(f"/twilio/transfer-status{query}{RETRIED}"),
    )


def caller_url(transfer_id: UUID, *, rounds: int = 0) -> str:
    """What follows for the caller: the hold, the conversation, the agent, a message."""
    return public_url(f"/twiml/transfer/caller?transfer={transfer_id}&round={rounds}{RETRIED}")


def caller_over_url(transfer_id: UUID) -> str:
    return public_url(f"/twiml/transfer/caller-over?transfer={transfer_id}{RETRIED}")


def joined_url(transfer_id: UUID) -> str:
    return public_url(f"/twilio/conference-status?transfer={transfer_id}")


def hold_sound_url() -> str:
    return public_url("/sounds/hold.wav")

"""Twilio's CallTokens: kept, sealed, only while their calls may still be transferred."""

from __future__ import annotations

from sessions.calls.models import TERMINAL_STATES
from telephony.twilio.models import MediaStream


def forget_call_tokens() -> int:
    """Remove those of calls that are over; how many there were."""
    kept = MediaStream.objects.exclude(sealed_call_token="")
    return kept.filter(call__state__in=TERMINAL_STATES).update(sealed_call_token="")

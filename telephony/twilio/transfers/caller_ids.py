"""Which number a transfer shows. Twilio takes the number that was called, one of the account's, or the caller's own:

never `sip:…` or `client:…`, and a caller who comes so has no number that could be shown by itself (error 13214).
"""

from __future__ import annotations

from agents.transfers.models import CallerId
from sessions.calls.models import Call
from telephony.twilio.models import PhoneNumber
from voiceapp.core.phones.numbers import CallerKind, read_caller

from .models import TransferAttempt


def caller_id_for(call: Call) -> str:
    """E.164; empty where there is none that Twilio would take."""
    if read_caller(call.dialed_number).kind is CallerKind.NUMBER:
        return call.dialed_number
    line = PhoneNumber.objects.filter(organization=call.organization_id, is_active=True).first()
    if line is not None and read_caller(line.number).kind is CallerKind.NUMBER:
        return line.number
    is_number = read_caller(call.caller_number).kind is CallerKind.NUMBER
    return call.caller_number if is_number else ""


def shown_number(attempt: TransferAttempt) -> tuple[str, str]:
    """The number for this person's phone, and the token without which a call by REST may not show the caller's own."""
    transfer = attempt.transfer
    if attempt.caller_id == CallerId.CALLER:
        return transfer.call.caller_number, transfer.stream.call_token
    return caller_id_for(transfer.call), ""

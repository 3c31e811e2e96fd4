"""Which number a transfer shows. Twilio takes the number that was called, one of the account's, or the caller's own:

never `sip:…` or `client:…`, and a caller who comes so has no number that could be shown by itself (error 13214).
"""

from __future__ import annotations

from sessions.models import Call
from telephony.models import PhoneNumber
from voiceapp.lib.phone_numbers import CallerKind, read_caller


def caller_id_for(call: Call) -> str:
    """E.164; empty where there is none that Twilio would take."""
    if read_caller(call.dialled_number).kind is CallerKind.NUMBER:
        return call.dialled_number
    line = PhoneNumber.objects.filter(organization=call.organization_id, is_active=True).first()
    if line is not None and read_caller(line.number).kind is CallerKind.NUMBER:
        return line.number
    is_number = read_caller(call.caller_number).kind is CallerKind.NUMBER
    return call.caller_number if is_number else ""

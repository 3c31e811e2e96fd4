"""Whether a person may be called now: by the number, and by the maximum of calls to persons in a day."""

from __future__ import annotations

from agents.transfers.numbers import why_not_called
from sessions.calls.models import Call
from sessions.calls.persons_called import TOO_MANY_TODAY, are_too_many
from voiceapp.core.phones.numbers import read_caller

from .models import TransferAttempt


def why_not(attempt: TransferAttempt, call: Call) -> str:
    """Why this person is not called after all, whatever was planned; empty if the call may be placed."""
    organization = call.organization
    if organization is None:
        return "no_organization"
    if why := why_not_called(attempt.number, organization, caller=read_caller(call.caller_number).number):
        return why.value
    # It may count already.
    return TOO_MANY_TODAY if are_too_many(organization, besides=int(attempt.dialed_at is not None)) else ""

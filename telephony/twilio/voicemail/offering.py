"""Whether a caller may leave a message, and what the caller hears then."""

from __future__ import annotations

from django.http import HttpResponse

from agents.organizations.models import VoicemailUse
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from telephony.twilio import twiml
from telephony.twilio.phrases import Phrase, phrase

from .services import look_for_message_later

# Refused calls whose caller may leave a message, if the organization chose so.
NOBODY_ANSWERS = {
    EndReason.CLOSED_HOURS,
    EndReason.AGENT_PAUSED,
    EndReason.AGENT_NOT_PUBLISHED,
    EndReason.NO_AGENT,
}


def may_leave_message(call: Call) -> bool:
    if call.organization is None:
        return False
    use = call.organization.voicemail
    return use == VoicemailUse.ALWAYS or (use == VoicemailUse.UNANSWERED and call.end_reason not in NOBODY_ANSWERS)


def take_message(call: Call, *sentences: str, language: str) -> HttpResponse:
    """Say the sentences, then record a message. The call ends after the sentences where none is taken."""
    if call.organization is None or not may_leave_message(call):
        return twiml.hang_up(*sentences, language=language)
    look_for_message_later(call)
    greeting = call.organization.voicemail_greeting or phrase(Phrase.LEAVE_MESSAGE, language)
    return twiml.take_message(*sentences, greeting, language=language)

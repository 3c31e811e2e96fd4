"""A call comes in at a number of VAPI's: which assistant answers it, or why it is not taken."""

from __future__ import annotations

import structlog
from django.db import DatabaseError

from sessions.calls.models import Call
from sessions.tools.briefing import brief
from telephony.twilio.phrases import Phrase, phrase
from telephony.twilio.services.admission import OtherCall, Ring, open_call
from telephony.twilio.webhooks.voice import refusal_sentence
from voiceapp.core.errors import ApplicationError
from voiceapp.providers.vapi.messages import VapiMessage

from .assistants import call_overrides, transient_assistant
from .legs import CallUnknown, open_leg
from .of_call import with_assistant

logger = structlog.get_logger("vapi")

# VAPI allows 7.5 s from the ring to our response.
ANSWER_WITHIN_S = 6.0


def answer_assistant_request(message: VapiMessage) -> dict[str, object]:
    """VAPI's response: the agent of the number that was dialed, or a sentence for the caller. Safe to repeat."""
    if not message.call_id:
        return refuse_assistant_request()
    ring = Ring(
        call_sid=message.call_id,
        account_sid="",
        caller=message.caller_number[:64],
        dialed=message.dialed_number[:64],
    )
    try:
        call = open_call(ring, is_streamed=False)
        if not call.is_live:
            return {"error": refusal_sentence(call)}
        open_leg(call.pk, message.call_id, carries_phone=True)
        return _assistant(call)
    except (OtherCall, CallUnknown, ApplicationError) as exc:
        logger.warning("call of VAPI's not taken", vapi_id=message.call_id, reason=str(exc))
    except DatabaseError:
        logger.exception("the database did not respond", vapi_id=message.call_id)
    return refuse_assistant_request()


def refuse_assistant_request() -> dict[str, object]:
    """Of a call about which nothing more is known."""
    return {"error": phrase(Phrase.PAUSED, "en")}


def _assistant(call: Call) -> dict[str, object]:
    """The same that plays the agent over the socket; for an agent of another provider one for this call alone."""
    briefing = with_assistant(brief(call, has_keys=False), call)
    if briefing.assistant_id:
        return {"assistantId": briefing.assistant_id, "assistantOverrides": call_overrides(briefing, call)}
    return {"assistant": briefing.assistant or transient_assistant(briefing, call)}

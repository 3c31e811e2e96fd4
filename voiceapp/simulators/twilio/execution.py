"""Execution of TwiML: one verb after the other; the response to a verb's `action` replaces the rest of the document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.twiml import Document, TwimlError, Verb
from voiceapp.simulators.twilio.verbs.connect import connect
from voiceapp.simulators.twilio.verbs.dial import dial
from voiceapp.simulators.twilio.verbs.gather import gather
from voiceapp.simulators.twilio.verbs.record import record
from voiceapp.simulators.twilio.verbs.speak import pause, play, say
from voiceapp.simulators.twilio.webhooks import WebhookFailed

#: A verb returns the document that replaces the rest, or None to continue with the next verb.
Handler = Callable[[CallLeg, Verb, Document], Awaitable[Document | None]]

_APOLOGY = "We are sorry, an application error has occurred. Goodbye."
_MAX_DOCUMENTS = 100
_ENDS = ("Hangup", "Reject")


class HungUp(Exception):
    """A verb ended the call."""


async def execute(call: CallLeg, document: Document) -> bool:
    """Run to the end. Returns False if a verb hung up, True if there was no further verb.

    The caller hears Twilio's apology if the application fails.
    """
    try:
        for _ in range(_MAX_DOCUMENTS):
            following = await _execute_document(call, document)
            if following is None:
                return True
            document = following
        call.log.notice(11215, f"more than {_MAX_DOCUMENTS} documents in one call")
    except (WebhookFailed, TwimlError) as exc:
        call.log.notice(exc.code, exc.message)
        await _execute_document(call, await document_after_failure(call))
    except HungUp:
        pass
    return False


async def document_after_failure(call: CallLeg) -> Document:
    """What runs after the application failed: the document of the fallback URL, or Twilio's apology."""
    if call.plan.voice_fallback_url:
        failure = call.log.notices[-1]
        extra = {"ErrorCode": str(failure.code), "ErrorUrl": call.plan.voice_url}
        try:
            return await call.fetch(call.plan.voice_fallback_url, extra=extra)
        except (WebhookFailed, TwimlError) as exc:
            call.log.notice(exc.code, exc.message)
    return Document((Verb("Say", text=_APOLOGY),), call.plan.voice_url)


async def _execute_document(call: CallLeg, document: Document) -> Document | None:
    for verb in document.verbs:
        call.log.event("verb", name=verb.name)
        if verb.name in _ENDS:
            raise HungUp
        following = await _HANDLERS[verb.name](call, verb, document)
        if following is not None:
            return following
    return None


async def _redirect(call: CallLeg, verb: Verb, document: Document) -> Document:
    return await call.fetch(document.absolute(verb.text), method=verb.get("method", "POST"))


async def _dial(call: CallLeg, verb: Verb, document: Document) -> Document | None:
    return await dial(call, verb, document, execute_whisper=execute)


_HANDLERS: dict[str, Handler] = {
    "Say": say,
    "Play": play,
    "Pause": pause,
    "Gather": gather,
    "Redirect": _redirect,
    "Dial": _dial,
    "Record": record,
    "Connect": connect,
}

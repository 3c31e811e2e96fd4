"""Twilio obeying an application: one verb after the other, a verb's `action` in the place of the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from voiceapp.simulators.twilio.twiml import Document, TwimlError, Verb, parse
from voiceapp.simulators.twilio.verbs.connect import connect
from voiceapp.simulators.twilio.verbs.dial import dial
from voiceapp.simulators.twilio.verbs.gather import gather
from voiceapp.simulators.twilio.verbs.record import record
from voiceapp.simulators.twilio.verbs.speak import pause, play, say
from voiceapp.simulators.twilio.webhooks import Answer, WebhookFailed

if TYPE_CHECKING:
    from voiceapp.simulators.twilio.call import LocalCall

#: A verb returns the document that replaces the rest, or None: the next verb.
Handler = Callable[["LocalCall", Verb, Document], Awaitable[Document | None]]

_SORRY = "We are sorry, an application error has occurred. Goodbye."
_TWIML_TYPES = ("text/xml", "application/xml", "text/html")
_MAX_DOCUMENTS = 100


async def redirect(call: LocalCall, verb: Verb, document: Document) -> Document:
    return await call.fetch(document.absolute(verb.text), method=verb.get("method", "POST"))


_HANDLERS: dict[str, Handler] = {
    "Say": say,
    "Play": play,
    "Pause": pause,
    "Gather": gather,
    "Redirect": redirect,
    "Dial": dial,
    "Record": record,
    "Connect": connect,
}
_ENDS = ("Hangup", "Reject")


class HungUp(Exception):
    """A verb ended the call."""


async def obey(call: LocalCall, document: Document) -> bool:
    """Run to the end: False if a verb hung up, True if nothing was left to do.

    The caller hears Twilio's apology if the application fails.
    """
    try:
        for _ in range(_MAX_DOCUMENTS):
            following = await _obey_document(call, document)
            if following is None:
                return True
            document = following
        call.notice(11215, f"more than {_MAX_DOCUMENTS} documents in one call")
    except (WebhookFailed, TwimlError) as exc:
        call.notice(exc.code, exc.message)
        await _obey_document(call, await sorry(call))
    except HungUp:
        pass
    return False


async def _obey_document(call: LocalCall, document: Document) -> Document | None:
    for verb in document.verbs:
        call.log("verb", name=verb.name)
        if verb.name in _ENDS:
            raise HungUp
        following = await _HANDLERS[verb.name](call, verb, document)
        if following is not None:
            return following
    return None


async def sorry(call: LocalCall) -> Document:
    """What runs after the application failed: the fallback address, or Twilio's apology."""
    if call.plan.voice_fallback_url:
        failure = call.notices[-1]
        extra = {"ErrorCode": str(failure.code), "ErrorUrl": call.plan.voice_url}
        try:
            return await call.fetch(call.plan.voice_fallback_url, extra=extra)
        except (WebhookFailed, TwimlError) as exc:
            call.notice(exc.code, exc.message)
    return Document((Verb("Say", text=_SORRY),), call.plan.voice_url)


def document_of(url: str, answer: Answer) -> Document:
    """Read an answer as Twilio does. Raise WebhookFailed or TwimlError."""
    if not 200 <= answer.status < 300:
        raise WebhookFailed(11200, f"HTTP retrieval failure: {url} answered {answer.status}")
    if answer.content_type in _TWIML_TYPES:
        return parse(answer.text, url=url)
    if answer.content_type == "text/plain":
        return Document((Verb("Say", text=answer.text),), url)
    if answer.content_type.startswith("audio/"):
        return Document((Verb("Play", text=url),), url)
    raise TwimlError(12300, f"invalid content type {answer.content_type!r} from {url}")

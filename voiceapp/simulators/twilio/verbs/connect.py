"""Connect: the caller's audio goes to the application's socket and back until one of them closes it."""

from __future__ import annotations

from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.media_stream import MediaStream
from voiceapp.simulators.twilio.twiml import Document, TwimlError, Verb


async def connect(call: CallLeg, verb: Verb, document: Document) -> Document | None:
    """Return when the application closes the socket: the document of the action, or None for the next verb."""
    nouns = verb.named("Stream")
    if not nouns:
        raise TwimlError(12200, "<Connect> has no <Stream>")
    stream = MediaStream(call, nouns[0], document)
    call.log.streams.append(stream.log)
    await stream.run()
    if verb.get("action"):
        return await call.fetch(document.absolute(verb.get("action")), method=verb.get("method", "POST"))
    return None

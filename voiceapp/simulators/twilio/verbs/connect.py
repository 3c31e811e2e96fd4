"""Connect: the caller's sound goes to the application's socket and back, until one of them has enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voiceapp.simulators.twilio.media_stream import MediaStream
from voiceapp.simulators.twilio.twiml import Document, TwimlError, Verb

if TYPE_CHECKING:
    from voiceapp.simulators.twilio.call import LocalCall


async def connect(call: LocalCall, verb: Verb, document: Document) -> Document | None:
    """Blocks until the application closes the socket; then its action, or the next verb."""
    streams = verb.named("Stream")
    if not streams:
        raise TwimlError(12200, "<Connect> has no <Stream>")
    stream = MediaStream(call, streams[0], document)
    call.streams.append(stream)
    await stream.run()
    if verb.get("action"):
        return await call.fetch(document.absolute(verb.get("action")), method=verb.get("method", "POST"))
    return None

"""Say, Play and Pause: audio from Twilio itself."""

from __future__ import annotations

import asyncio

from voiceapp.simulators import mulaw, speech
from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.recording import pcm_of_wav
from voiceapp.simulators.twilio.twiml import Document, TwimlError, Verb

_VOICE = "en-us+f3"
_ENDLESS = 1000


async def say(call: CallLeg, verb: Verb, _document: Document) -> None:
    pcm = await asyncio.to_thread(speech.say, verb.text, voice=_VOICE, words_per_minute=165, pitch=50)
    call.log.event("twilio_says", text=verb.text)
    for _ in range(_times(verb)):
        await call.line.play(mulaw.encode(pcm))


async def play(call: CallLeg, verb: Verb, document: Document) -> None:
    url = document.absolute(verb.text)
    response = await call.account.webhooks.request(url, {}, method="GET")
    if not 200 <= response.status < 300:
        raise TwimlError(11200, f"{url} returned {response.status}")
    for _ in range(_times(verb)):
        await call.line.play(_ulaw_of(response.body, response.content_type))


async def pause(call: CallLeg, verb: Verb, _document: Document) -> None:
    await call.line.wait_ms(verb.seconds("length", 1) * 1000)


def _ulaw_of(content: bytes, content_type: str) -> bytes:
    if content_type in ("audio/basic", "audio/x-mulaw", "audio/mulaw", "audio/ulaw"):
        return content
    try:
        return mulaw.encode(pcm_of_wav(content))
    except (ValueError, EOFError) as exc:
        raise TwimlError(12300, f"the audio ({content_type}) is not a 16-bit WAV file: {exc}") from exc


def _times(verb: Verb) -> int:
    return int(verb.seconds("loop", 1)) or _ENDLESS

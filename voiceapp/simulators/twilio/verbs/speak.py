"""Say, Play and Pause: what Twilio itself lets the caller hear."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from voiceapp.simulators import mulaw, speech
from voiceapp.simulators.twilio.recording import pcm_of_wav
from voiceapp.simulators.twilio.twiml import Document, TwimlError, Verb

if TYPE_CHECKING:
    from voiceapp.simulators.twilio.call import LocalCall

_VOICE = "en-us+f3"
_ENDLESS = 1000


async def say(call: LocalCall, verb: Verb, _document: Document) -> None:
    pcm = await asyncio.to_thread(speech.say, verb.text, voice=_VOICE, words_per_minute=165, pitch=50)
    call.log("said_by_twilio", text=verb.text)
    for _ in range(_times(verb)):
        await call.line.play(mulaw.encode(pcm))


async def play(call: LocalCall, verb: Verb, document: Document) -> None:
    url = document.absolute(verb.text)
    answer = await call.carrier.webhooks.request(url, {}, method="GET")
    if not 200 <= answer.status < 300:
        raise TwimlError(11200, f"{url} answered {answer.status}")
    for _ in range(_times(verb)):
        await call.line.play(_ulaw_of(answer.body, answer.content_type))


async def pause(call: LocalCall, verb: Verb, _document: Document) -> None:
    await call.line.wait_ms(verb.seconds("length", 1) * 1000)


def _ulaw_of(content: bytes, content_type: str) -> bytes:
    if content_type in ("audio/basic", "audio/x-mulaw", "audio/mulaw", "audio/ulaw"):
        return content
    try:
        return mulaw.encode(pcm_of_wav(content))
    except (ValueError, EOFError) as exc:
        raise TwimlError(12300, f"the sound ({content_type}) is no 16-bit WAV: {exc}") from exc


def _times(verb: Verb) -> int:
    return int(verb.seconds("loop", 1)) or _ENDLESS

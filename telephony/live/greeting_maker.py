"""Makes the audio of a greeting: a session of the agent's provider in which nothing else is said."""

from __future__ import annotations

import asyncio
import unicodedata
from base64 import b64decode

from django.conf import settings

from agents.greetings.models import KeptGreeting
from sessions.calls.briefing import Briefing, Phrases
from telephony.bridge.core import events
from telephony.bridge.core.actions import LinkLoss
from telephony.bridge.core.agent_item import QUIET, is_heard_now
from telephony.bridge.core.ports import BadFrame
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.ulaw import BYTES_PER_MS
from voiceapp.core.kept_texts import KeptText
from voiceapp.providers.errors import ProviderError

from .provider import Provider
from .providers import provider_for

MAKE_WITHIN_S = 20.0
# So that a close frame leaves before the event loop ends.
LINGER_S = 0.1
FRAME_BYTES = 10 * BYTES_PER_MS
# A frame with fewer samples above the level of a quiet line is silence.
LOUD_BYTES = FRAME_BYTES // 4
KEPT_SILENCE_BYTES = 40 * BYTES_PER_MS


def make_greeting(kept: KeptGreeting) -> None:
    """The handler of the queue of greetings: store the audio in the row. Raises ProviderError."""
    audio, text = asyncio.run(_speak(kept))
    if letters_of(text) != letters_of(kept.text):
        raise ProviderError(kept.provider, KeptText("said “%(text)s” instead of the greeting", text=text))
    audible = without_leading_silence(audio)
    if not audible:
        raise ProviderError(kept.provider, KeptText("spoke without a sound"))
    KeptGreeting.objects.filter(pk=kept.pk).update(audio=audible)


async def _speak(kept: KeptGreeting) -> tuple[bytes, str]:
    """The greeting's audio, and what the provider says was spoken."""
    briefing = Briefing(
        call_id="",
        model=kept.model,
        voice=kept.voice,
        language=kept.language,
        instructions="",
        keywords=(),
        tools=(),
        phrases=Phrases(greeting=kept.text),
        transcription_model=settings.OPENAI_TRANSCRIPTION_MODEL,
        provider=kept.provider,
    )
    session = _GreetingSession(provider_for(briefing), briefing)
    try:
        async with asyncio.timeout(MAKE_WITHIN_S):
            await session.run()
    except TimeoutError as exc:
        raise ProviderError(
            kept.provider, KeptText("did not speak within %(seconds)d s", seconds=MAKE_WITHIN_S)
        ) from exc
    return bytes(session.audio), " ".join(session.texts.values())


class _GreetingSession:
    """Requests the greeting from the provider, as a call without a kept one does, and collects it."""

    def __init__(self, provider: Provider, briefing: Briefing) -> None:
        self.audio = bytearray()
        self.texts: dict[str, str] = {}
        self._briefing = briefing
        self._dialect = provider.make_dialect(StreamClock())
        self._link = provider.make_link(on_opened=self._send, on_frame=self._receive, on_lost=self._lost)
        self._spoken = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        opening = asyncio.create_task(self._link.open())
        try:
            await self._spoken
        finally:
            opening.cancel()
            self._link.close()
            await asyncio.sleep(LINGER_S)

    def _receive(self, frame: str) -> None:
        try:
            received = self._dialect.receive(frame)
            if isinstance(received, tuple):
                received = [events.AgentAudio(*received)]
            for event in received or ():
                self._happens(event)
        except BadFrame:
            return
        except ValueError:
            self._fail("sent audio that is not base64")
        self._send()

    def _happens(self, event: events.AgentEvent) -> None:
        match event:
            case events.AgentReady():
                self._dialect.respond(events.Purpose.GREETING, self._briefing.phrases.greeting)
                self._dialect.let_caller_in()
            case events.AgentAudio(item, payload):
                if not item.has_begun:
                    is_heard_now(item, payload)
                self.audio += b64decode(payload, validate=True)
            case events.AgentText(item_id, text, is_whole):
                self.texts[item_id] = text if is_whole else self.texts.get(item_id, "") + text
            case events.ResponseEnded(outcome=events.Outcome.COMPLETED):
                if not self._spoken.done():
                    self._spoken.set_result(None)
            case events.ResponseEnded():
                is_final = event.error is events.ErrorClass.GIVE_UP
                self._fail(event.code or event.outcome, is_final=is_final, wait_ms=event.wait_ms)
            case events.LinkUnusable(reason, is_fatal, wait_ms):
                self._fail(reason, is_final=is_fatal, wait_ms=wait_ms)

    def _lost(self, loss: LinkLoss) -> None:
        is_final = loss.is_fatal or self._dialect.is_fatal(loss)
        wait_ms = self._dialect.wait_ms(loss) if loss.wait_ms is None else loss.wait_ms
        self._fail(loss.reason or f"closed with {loss.code}", is_final=is_final, wait_ms=wait_ms)

    def _fail(self, why: str, *, is_final: bool = False, wait_ms: int | None = None) -> None:
        if not self._spoken.done():
            wait_s = None if wait_ms is None else wait_ms / 1000
            error = ProviderError(self._briefing.provider, why, permanent=is_final, retry_after_s=wait_s)
            self._spoken.set_exception(error)

    def _send(self) -> None:
        frames = self._dialect.frames.copy()
        self._dialect.frames.clear()
        for frame in frames:
            self._link.send(frame)


def letters_of(text: str) -> str:
    """What two spellings of a sentence have in common: letters and digits, without case, accents and punctuation."""
    return "".join(each for each in unicodedata.normalize("NFKD", text).casefold() if each.isalnum())


def without_leading_silence(audio: bytes) -> bytes:
    """Leave out the silence before the first sound, but for its last 40 ms, so that a soft beginning is not cut."""
    for at in range(0, len(audio), FRAME_BYTES):
        if len(audio[at : at + FRAME_BYTES].translate(None, QUIET)) >= LOUD_BYTES:
            return audio[max(0, at - KEPT_SILENCE_BYTES) :]
    return b""

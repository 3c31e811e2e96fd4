"""OpenAI Realtime as the AI provider of a call: its session, its dialect, and a link with our key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import cast

from sessions.calls.briefing import Briefing
from sessions.calls.spending import MOST_OUTPUT_TOKENS
from telephony.bridge.core.actions import LinkLoss
from telephony.bridge.core.ports import BadFrame
from telephony.bridge.openai.dialect import OpenAIDialect
from telephony.bridge.openai.errors import ErrorKind, classify, wait_named_ms
from telephony.bridge.openai.frames import ErrorBody, parse_event
from voiceapp.providers.openai.client import OpenAIClient, OpenAIError, realtime_session, semantic_vad, server_vad
from voiceapp.providers.openai.fields import Replaced, fit_model, fit_session
from voiceapp.providers.openai.key import is_key_cached

from .idle_link import Destination
from .idle_links import idle_links
from .links import ProviderLink
from .provider import Provider

KEY_REFUSED = 401
RETIRED_PROTOCOL = 4000  # how OpenAI closes a client of the beta
AUDIO_PREFIX = '{"type":"input_audio_buffer.append"'


def openai_provider(briefing: Briefing) -> Provider:
    """Fields that OpenAI would refuse are replaced, and listed."""
    model, replaced = fit_model(briefing.model)
    session, more = session_for(briefing)
    protects_greeting = briefing.protects_greeting and bool(briefing.phrases.greeting)
    return Provider(
        make_dialect=partial(OpenAIDialect, session, protects_greeting=protects_greeting),
        make_link=OpenAILinks(lambda client: client.realtime_url(model)),
        replaced=tuple(map(asdict, (*replaced, *more))),
    )


def session_for(briefing: Briefing) -> tuple[dict[str, object], list[Replaced]]:
    """The GA session object for session.update, and which fields were replaced because OpenAI would refuse them."""
    turns = briefing.turn_detection
    if turns.kind == "semantic_vad":
        turn_detection = semantic_vad(eagerness=turns.eagerness, interrupts=turns.interrupts)
    else:
        turn_detection = server_vad(
            threshold=turns.threshold,
            prefix_padding_ms=turns.prefix_padding_ms,
            silence_ms=turns.silence_ms,
            interrupts=turns.interrupts,
        )
    session = realtime_session(
        instructions=briefing.instructions,
        voice=briefing.voice,
        language=briefing.language,
        turn_detection=turn_detection | {"type": turns.kind},
        transcription_model=briefing.transcription_model,
        keywords=briefing.keywords,
        tools=cast("tuple[dict[str, object], ...]", briefing.tools),
        noise_reduction=briefing.noise_reduction,
        max_output_tokens=MOST_OUTPUT_TOKENS if briefing.limits.spending else None,
    )
    return fit_session(session)


def fault_in(frame: str) -> LinkLoss | None:
    """What an event says against the session of an idle link: OpenAI may refuse it after the handshake."""
    try:
        event = parse_event(frame, frozenset({"error"}))
    except BadFrame:
        return LinkLoss(None, "bad frame")
    if event is None:
        return None
    error = event.error or ErrorBody()
    is_fatal = classify(error) is ErrorKind.FATAL
    return LinkLoss(None, error.code or "error", is_fatal, wait_ms=wait_named_ms(error.message))


class OpenAILinks:
    """Makes the links of one call. Only the first may be an idle one: what the call lost, they may have lost too."""

    def __init__(self, url_of: Callable[[OpenAIClient], str], *, is_own_address: bool = False) -> None:
        """`is_own_address`: no other call has links to it, so that none is kept idle."""
        self._url_of = url_of
        self._is_own_address = is_own_address
        self._is_first = True

    def __call__(
        self,
        *,
        on_opened: Callable[[], None],
        on_frame: Callable[[str], None],
        on_lost: Callable[[LinkLoss], None],
    ) -> OpenAILink:
        may_be_idle, self._is_first = self._is_first, False
        return OpenAILink(
            self._url_of,
            may_be_idle=may_be_idle,
            is_own_address=self._is_own_address,
            on_opened=on_opened,
            on_frame=on_frame,
            on_lost=on_lost,
        )


class OpenAILink:
    """A Link (links.py). Blocking look-ups run in a thread; after a refused key, the key is fetched once more."""

    __slots__ = (
        "_is_closed",
        "_is_own_address",
        "_link",
        "_may_be_idle",
        "_may_renew",
        "_on_frame",
        "_on_lost",
        "_on_opened",
        "_refusal",
        "_url_of",
        "send",
        "was_idle",
    )

    def __init__(
        self,
        url_of: Callable[[OpenAIClient], str],
        *,
        may_be_idle: bool,
        is_own_address: bool,
        on_opened: Callable[[], None],
        on_frame: Callable[[str], None],
        on_lost: Callable[[LinkLoss], None],
    ) -> None:
        self.was_idle = False
        self._url_of = url_of
        self._may_be_idle = may_be_idle and not is_own_address
        self._is_own_address = is_own_address
        self._on_opened = on_opened
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._link: ProviderLink | None = None
        self.send: Callable[[str], None] = _send_nothing  # the current socket's own, once there is one
        self._refusal: LinkLoss | None = None
        self._may_renew = True
        self._is_closed = False

    async def open(self) -> None:
        try:
            client = await self._client()
        except OpenAIError as exc:
            self._report(LinkLoss(None, f"openai key {exc.kind}", is_fatal=exc.permanent))
            return
        await self._connect(client)
        refusal, self._refusal = self._refusal, None
        if refusal is None:
            return
        self._may_renew = False
        try:
            successor = await asyncio.to_thread(client.with_renewed_key)
        except OpenAIError:
            successor = None
        if successor is None:
            self._report(refusal)
        else:
            await self._connect(successor)

    def close(self) -> None:
        self._is_closed = True
        if self._link is not None:
            self._link.close()

    async def _client(self) -> OpenAIClient:
        if is_key_cached():
            return OpenAIClient.from_settings()
        return await asyncio.to_thread(OpenAIClient.from_settings)

    async def _connect(self, client: OpenAIClient) -> None:
        if self._is_closed:  # the caller hung up while the key was fetched
            return
        destination = Destination(
            self._url_of(client),
            tuple(client.headers().items()),
            audio_prefix=AUDIO_PREFIX,
            fatal_codes=frozenset({RETIRED_PROTOCOL}),
            fault_in=fault_in,
        )
        idle = idle_links.take(destination) if self._may_be_idle else None
        self._may_be_idle = False
        if idle is None:
            new_link = destination.link if self._is_own_address else partial(idle_links.new_link, destination)
            self._link = new_link(on_opened=self._on_opened, on_frame=self._on_frame, on_lost=self._lost)
            self.send = self._link.send
            await self._link.open()
        else:
            self.was_idle = True
            self._link = idle.link
            self.send = self._link.send
            idle.hand_over(on_opened=self._on_opened, on_frame=self._on_frame, on_lost=self._lost)

    def _lost(self, loss: LinkLoss) -> None:
        # A refused handshake is reported before `open` returns.
        if loss.code == KEY_REFUSED and self._may_renew:
            self._refusal = loss
        else:
            self._report(loss)

    def _report(self, loss: LinkLoss) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._on_lost(loss)


def _send_nothing(text: str) -> None:
    """There is no socket yet."""

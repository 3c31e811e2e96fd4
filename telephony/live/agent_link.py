"""A call's socket to OpenAI with our key, which may have to be fetched first, and may have been replaced meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from telephony.bridge.core.actions import LinkLoss
from voiceapp.providers.openai.client import OpenAIClient, OpenAIError
from voiceapp.providers.openai.key import is_key_cached

from .links import ProviderLink

KEY_REFUSED = 401


class AgentLink:
    """A Link (telephony/live/links.py). What may block happens in a thread; a refused key is looked up once more."""

    def __init__(
        self,
        model: str,
        *,
        on_opened: Callable[[], None],
        on_frame: Callable[[str], None],
        on_lost: Callable[[LinkLoss], None],
    ) -> None:
        self._model = model
        self._on_opened = on_opened
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._link: ProviderLink | None = None
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

    def send(self, text: str) -> None:
        if self._link is not None:
            self._link.send(text)

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
        self._link = ProviderLink(
            client.realtime_url(self._model),
            client.headers(),
            on_opened=self._on_opened,
            on_frame=self._on_frame,
            on_lost=self._lost,
        )
        await self._link.open()

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

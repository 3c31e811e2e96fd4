"""One link that is connected without a call, and the destination that it leads to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from telephony.bridge.core.actions import LinkLoss

from .links import ProviderLink

SESSION_WITHIN_S = 3.0
# An idle session sends a frame or two.
MOST_FRAMES = 10


@dataclass(frozen=True, slots=True)
class Destination:
    """Where links lead and with which key. A call gets an idle link only of exactly its destination.

    `fault_in`: what a frame of an idle session says against it, None for a good one.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    audio_prefix: str
    fatal_codes: frozenset[int]
    fault_in: Callable[[str], LinkLoss | None]

    def link(
        self,
        *,
        on_opened: Callable[[], None],
        on_frame: Callable[[str], None],
        on_lost: Callable[[LinkLoss], None],
    ) -> ProviderLink:
        """A link that is not open yet."""
        return ProviderLink(
            self.url,
            dict(self.headers),
            on_opened=on_opened,
            on_frame=on_frame,
            on_lost=on_lost,
            audio_prefix=self.audio_prefix,
            fatal_codes=self.fatal_codes,
        )


class IdleLink:
    """It keeps the frames that come, for the call that takes it. `loss`: why it cannot be used any more."""

    def __init__(self, destination: Destination, *, on_lost: Callable[[IdleLink], None]) -> None:
        """`on_lost` is called for a link that was connected; `connect` returns the losses before."""
        self.began_at = asyncio.get_running_loop().time()
        self.loss: LinkLoss | None = None
        self._fault_in = destination.fault_in
        self._on_lost = on_lost
        self._is_connected = False
        self._frames: list[str] = []
        self._news = asyncio.Event()
        self.link = destination.link(on_opened=_ignore_opening, on_frame=self._keep, on_lost=self._lost)

    async def connect(self) -> None:
        """Returns when the provider's session has begun, or with a `loss`."""
        try:
            await self.link.open()
            async with asyncio.timeout(SESSION_WITHIN_S):
                await self._news.wait()
            self._is_connected = self.loss is None
        except TimeoutError:
            self.loss = LinkLoss(None, "no session in time")
        finally:
            if not self._is_connected:
                self.link.close()

    def hand_over(
        self,
        *,
        on_opened: Callable[[], None],
        on_frame: Callable[[str], None],
        on_lost: Callable[[LinkLoss], None],
    ) -> None:
        """From now on the link reports to a call; first what it has kept."""
        self.link.hand_to(on_frame=on_frame, on_lost=on_lost)
        on_opened()
        for frame in self._frames:
            on_frame(frame)

    def _keep(self, frame: str) -> None:
        self._frames.append(frame)
        fault = self._fault_in(frame)
        if fault is None and len(self._frames) > MOST_FRAMES:
            fault = LinkLoss(None, "too many frames")
        if fault is None:
            self._news.set()
        else:
            self.link.close()
            self._lost(fault)

    def _lost(self, loss: LinkLoss) -> None:
        self.loss = loss
        self._news.set()
        if self._is_connected:
            self._on_lost(self)


def _ignore_opening() -> None:
    """What counts is the first frame of the session."""

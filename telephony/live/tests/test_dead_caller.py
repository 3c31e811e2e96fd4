"""A caller's socket that is open but dead: the peer reads nothing, or sends nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from telephony.live import live_call
from telephony.live.caller_socket import CallerWriter

from .conftest import end_of
from .handset import Handset

pytestmark = pytest.mark.asyncio


async def test_a_peer_that_reads_nothing_is_given_up(handset: Handset, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the server holds `send` back because its buffer is full."""
    write = CallerWriter.__init__

    def blocked(self: CallerWriter, send: Any) -> None:
        async def never(message: Any) -> None:
            if message["type"] == "websocket.send":
                await asyncio.get_running_loop().create_future()
            await send(message)

        write(self, never)

    monkeypatch.setattr(CallerWriter, "__init__", blocked)

    await handset.dial()

    assert await end_of(handset, within_s=6) == ("failed", "stream_lost")


async def test_a_socket_from_which_nothing_comes_is_given_up(handset: Handset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_call, "HEAR_WITHIN_S", 0.5)
    await handset.ring()
    await handset.open()

    await handset.send_start()

    assert await end_of(handset, within_s=4) == ("failed", "stream_lost")
    assert await handset.close_comes(within_s=2) == 1000

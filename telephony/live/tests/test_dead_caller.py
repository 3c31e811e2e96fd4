"""A caller's socket that is open but dead: the peer reads nothing, or sends nothing."""

from __future__ import annotations

import asyncio

import pytest

from telephony.live import live_call
from voiceapp.core.http.websocket_protocol import DirectWebSocketProtocol

from .conftest import end_of
from .handset import Handset

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]


async def test_a_peer_that_reads_nothing_is_given_up(handset: Handset, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the kernel's and the event loop's buffers are full, which takes minutes of sound."""

    def is_full(self: DirectWebSocketProtocol, texts: list[str]) -> None:
        self.pause_writing()

    monkeypatch.setattr(DirectWebSocketProtocol, "send_texts", is_full)

    await handset.dial()

    assert await end_of(handset, within_s=6) == ("failed", "stream_lost")


async def test_a_peer_that_reads_again_in_time_is_kept(handset: Handset, monkeypatch: pytest.MonkeyPatch) -> None:
    send_texts = DirectWebSocketProtocol.send_texts

    def is_full_for_a_while(self: DirectWebSocketProtocol, texts: list[str]) -> None:
        if self.stuck_since is None:
            self.pause_writing()
            asyncio.get_running_loop().call_later(1, self.resume_writing)
        send_texts(self, texts)

    monkeypatch.setattr(DirectWebSocketProtocol, "send_texts", is_full_for_a_while)
    await handset.dial()

    assert await handset.hears_something(within_s=5)
    await asyncio.sleep(2.5)
    await handset.hang_up()

    assert await end_of(handset, within_s=5) == ("completed", "caller_hung_up")


async def test_a_socket_from_which_nothing_comes_is_given_up(handset: Handset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_call, "HEAR_WITHIN_S", 0.5)
    await handset.ring()
    await handset.open()

    await handset.send_start()

    assert await end_of(handset, within_s=4) == ("failed", "stream_lost")
    assert await handset.close_comes(within_s=2) == 1000

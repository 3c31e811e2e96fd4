"""The same calls on the plain socket of any ASGI server, such as daphne's behind `runserver`."""

from __future__ import annotations

import asyncio

import pytest

from telephony.live import caller_socket
from telephony.live.caller_socket import AsgiCallerSocket, Message
from voiceapp.core.http.websocket_protocol import DirectWebSocketProtocol

from .conftest import end_of
from .handset import Handset

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def without_short_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller_socket, "EXTENSION", "an extension that no server has")


async def test_the_caller_hears_the_greeting_and_hangs_up(handset: Handset) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)

    await handset.hang_up()

    assert await end_of(handset) == ("completed", "caller_hung_up")


async def test_a_socket_that_vanishes_is_a_lost_stream(handset: Handset) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)

    handset.vanish()

    assert await end_of(handset) == ("failed", "stream_lost")


async def test_a_second_start_is_closed_with_1008(handset: Handset) -> None:
    await handset.dial()

    await handset.send_start()

    assert await handset.close_comes(within_s=5) == 1008
    assert await end_of(handset) == ("failed", "stream_lost")


async def test_a_peer_that_reads_nothing_is_given_up(handset: Handset, monkeypatch: pytest.MonkeyPatch) -> None:
    send = AsgiCallerSocket.send_texts

    def to_a_full_buffer(self: AsgiCallerSocket, texts: list[str]) -> None:
        server = self._send.__self__  # type: ignore[attr-defined]
        assert isinstance(server, DirectWebSocketProtocol)
        server.pause_writing()
        send(self, texts)

    monkeypatch.setattr(AsgiCallerSocket, "send_texts", to_a_full_buffer)

    await handset.dial()

    assert await end_of(handset, within_s=8) == ("failed", "stream_lost")


async def test_all_frames_leave_before_the_close() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    async def send(message: Message) -> None:
        await asyncio.sleep(0.001)
        sent.append(message)

    socket = AsgiCallerSocket(receive, send)
    socket.listen(on_text=lambda _: None, on_closed=lambda _: None)
    socket.send_texts(["1", "2"])
    await asyncio.sleep(0)
    socket.send_texts(["3"])

    await socket.close(1000)

    assert [message.get("text", message.get("code")) for message in sent] == ["1", "2", "3", 1000]

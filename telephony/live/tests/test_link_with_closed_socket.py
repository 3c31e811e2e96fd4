"""A link whose connect is canceled at the worst time writes nothing into the sockets that are opened after it."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest
import uvloop
from picows.url import parse_url
from websockets.utils import accept_key

from telephony.live import links
from telephony.live.links import ProviderLink

pytestmark = pytest.mark.embedded

ENOUGH = 8


@pytest.mark.parametrize("is_closed_first", [True, False])
def test_a_link_that_is_given_up_while_it_connects_pings_no_other_socket(
    is_closed_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's was one: "invalid frontend message type 137"."""
    monkeypatch.setattr(links, "PING_AFTER_S", 0.05)
    monkeypatch.setattr(links, "PONG_WITHIN_S", 0.05)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(_what_later_sockets_get(is_closed_first)) == b""


async def _what_later_sockets_get(is_closed_first: bool) -> bytes:
    """The provider admits the link, and its connect is canceled, in the one turn of the event loop in which the link is
    connected and does not know it yet.
    """
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as opened:
        server = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        link = ProviderLink(
            f"ws://127.0.0.1:{server.getsockname()[1]}/",
            {},
            on_opened=lambda: None,
            on_frame=lambda frame: None,
            on_lost=lambda loss: None,
        )
        bell, button = (opened.enter_context(each) for each in socket.socketpair())

        def admit_and_cancel() -> None:
            provider = opened.enter_context(server.accept()[0])
            provider.sendall(_admission(provider.recv(10_000)))
            if is_closed_first:
                link.close()
            opening.cancel()

        def ring() -> None:
            loop.remove_reader(bell)
            loop.call_soon(admit_and_cancel)

        opening = asyncio.create_task(link.open())
        await asyncio.sleep(0)  # the link connects
        # The loop looks at sockets in this order: what `ring` asks for comes right after the link's request.
        button.send(b"!")
        loop.add_reader(bell, ring)
        await asyncio.wait({opening})
        assert opening.cancelled()

        later = [opened.enter_context(each) for _ in range(ENOUGH) for each in socket.socketpair()]
        await asyncio.sleep(0.3)
        return b"".join(map(_waiting, later))


def _admission(request: bytes) -> bytes:
    key = request.lower().index(b"sec-websocket-key: ") + len(b"sec-websocket-key: ")
    accepted = accept_key(request[key:].partition(b"\r\n")[0].decode())
    head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return f"{head}Sec-WebSocket-Accept: {accepted}\r\n\r\n".encode()


def _waiting(sock: socket.socket) -> bytes:
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        return sock.recv(100)
    return b""


async def _reaches(addresses: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> int:
    """The port at the first of these addresses that answers."""

    async def found(*args: object, **kwargs: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in addresses]

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", found)
    with await links.connected_socket(parse_url("wss://provider.example/")) as sock:
        port: int = sock.getpeername()[1]
    return port


def test_the_next_address_is_tried_when_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed, socket.create_server(("127.0.0.1", 0)) as server:
        closed.bind(("127.0.0.1", 0))
        refuses, answers = closed.getsockname(), server.getsockname()
        assert asyncio.run(_reaches([refuses, answers], monkeypatch)) == answers[1]
        with pytest.raises(ConnectionRefusedError):
            asyncio.run(_reaches([refuses], monkeypatch))

"""The handshake of a WebSocket from either side, on bare sockets."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import socket
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from connection import Sockets, Wire

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_END = b"\r\n\r\n"
_WITHIN_S = 30


class HandshakeRefused(Exception):
    """The process under test did not accept the media stream; the message is the first line of its response."""


async def open_websocket(url: str, headers: Mapping[str, str]) -> tuple[Wire, bytes]:
    """A connected wire, and the bytes that came with the response."""
    address = urlsplit(url)
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setblocking(False)
    lines = {
        "Host": address.netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    target = address.path + (f"?{address.query}" if address.query else "")
    request = f"GET {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    try:
        async with asyncio.timeout(_WITHIN_S):
            await loop.sock_connect(sock, (address.hostname, address.port))
            await loop.sock_sendall(sock, request.encode())
            response = b""
            while _END not in response:
                received = await loop.sock_recv(sock, 1 << 16)
                if not received:
                    break
                response += received
    except (OSError, TimeoutError) as exc:
        sock.close()
        raise HandshakeRefused(repr(exc)) from exc
    head, _, early = response.partition(_END)
    status = head.partition(b"\r\n")[0].decode(errors="replace")
    if " 101 " not in f"{status} ":
        sock.close()
        raise HandshakeRefused(status or "closed without a response")
    return Wire(sock), early


class Admission:
    """Reads the request of a client that has just connected, and admits it once the request is whole."""

    def __init__(
        self, sockets: Sockets, wire: Wire, admit: Callable[[Wire, bytes], None], *, after_s: float = 0.0
    ) -> None:
        self._sockets = sockets
        self._wire = wire
        self._admit = admit
        self._request = b""
        self._after_s = after_s
        self._is_gone = False
        sockets.watch(wire.fd, self)

    def flush(self) -> None:
        """Nothing waits to be written."""

    def on_readable(self) -> None:
        data = self._wire.read()
        if data:
            self._request += data
            head, end, early = self._request.partition(_END)
            if end and self._after_s:
                asyncio.get_running_loop().call_later(self._after_s, self._respond, head, early)
            elif end:
                self._respond(head, early)
        elif data is not None:
            self._is_gone = True
            self._sockets.forget(self._wire.fd)
            self._wire.close()

    def _respond(self, head: bytes, early: bytes) -> None:
        if not self._is_gone:
            self._wire.write(_response(head))
            self._admit(self._wire, early)


def _response(request: bytes) -> bytes:
    name = b"\r\nsec-websocket-key:"
    at = request.lower().find(name) + len(name)
    key = request[at:].partition(b"\r\n")[0].strip()
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())  # noqa: S324 - RFC 6455 says so
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
    )

"""WebSockets on bare non-blocking sockets: the load has to cost less than what it loads."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from contextlib import suppress
from functools import cache
from typing import Protocol

from websockets.speedups import apply_mask

TEXT = 0x81
CLOSE = 0x88
PING = 0x89
PONG = 0x8A
_MASKED = 0x80
READ_BYTES = 1 << 16
# Notified of new bytes only: what was read to its end costs no second look.
_BYTES_CAME = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
_ROOM_CAME = select.EPOLLOUT
_EVENTS_AT_ONCE = 64  # more of them would keep the clock of the callers waiting
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Watched(Protocol):
    def on_readable(self) -> None: ...

    def flush(self) -> None: ...


class Sockets:
    """Many sockets behind one file descriptor of the event loop: none of them costs a callback of the loop."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Watched] = {}

    def open(self) -> None:
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._dispatch)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()

    def watch(self, fd: int, watched: Watched) -> None:
        if fd in self._watched:
            self._epoll.modify(fd, _BYTES_CAME)  # what is there already is news to the new one
        else:
            self._epoll.register(fd, _BYTES_CAME)
        self._watched[fd] = watched

    def forget(self, fd: int) -> None:
        if self._watched.pop(fd, None):
            self._epoll.unregister(fd)

    def wait_to_write(self, fd: int, waits: bool) -> None:
        self._epoll.modify(fd, _BYTES_CAME | (_ROOM_CAME if waits else 0))

    def _dispatch(self) -> None:
        watched = self._watched
        for fd, events in self._epoll.poll(0, _EVENTS_AT_ONCE):
            known = watched.get(fd)
            if known is None:
                continue
            if events & _ROOM_CAME:
                known.flush()
            known.on_readable()
            if events & select.EPOLLRDHUP:
                known.on_readable()


class Wire:
    """A connected socket. Reading gives what is there: None for nothing, empty bytes for the end."""

    __slots__ = ("_recv", "_send", "fd", "sock")

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")  # the machine's own may pace
        self.sock = sock
        self.fd = sock.fileno()
        self._recv = sock.recv
        self._send = sock.send

    def read(self) -> bytes | None:
        try:
            return self._recv(READ_BYTES)
        except _NOT_NOW:
            return None
        except OSError:
            return b""

    def write(self, data: bytes) -> int:
        """How many bytes went out; what the other side no longer wants counts as gone."""
        try:
            return self._send(data)
        except _NOT_NOW:
            return 0
        except OSError:
            return len(data)

    def end(self) -> None:
        """Says that nothing follows; what the other side still sends is read."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        self.sock.close()


class TlsWire(Wire):
    """The server's end of a connection with TLS; the handshake happens with the first reads."""

    __slots__ = ("_tls",)

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self._tls = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        super().__init__(self._tls)

    def read(self) -> bytes | None:
        """All that has been decrypted: the socket's file descriptor does not report it again."""
        records = []
        while record := super().read():
            records.append(record)
        return b"".join(records) or record

    def end(self) -> None:
        with suppress(OSError, ValueError):
            self._tls.unwrap()


@cache
def _head(length: int, opcode: int, mask: int) -> bytes:
    if length < 126:
        return bytes((opcode, mask | length))
    if length < 1 << 16:
        return bytes((opcode, mask | 126)) + length.to_bytes(2)
    return bytes((opcode, mask | 127)) + length.to_bytes(8)


class Connection:
    """One WebSocket. What is said waits for `flush`, so that a wake-up costs one write.

    Frames are masked with one fixed key by a side that has to mask: the other side's work is the same with any.
    """

    __slots__ = ("_has_said_goodbye", "_key", "_out", "_rest", "_waits_to_write", "is_connected", "sockets", "wire")

    sockets: Sockets
    wire: Wire

    def __init__(self, key: bytes = b"") -> None:
        self._key = key
        self.is_connected = False
        self._out: list[bytes] = []
        self._rest = b""
        self._waits_to_write = False
        self._has_said_goodbye = False

    def connect(self, sockets: Sockets, wire: Wire) -> None:
        self.sockets = sockets
        self.wire = wire
        self.is_connected = True
        sockets.watch(wire.fd, self)

    def on_text(self, message: bytes) -> None:
        raise NotImplementedError

    def on_strange_frame(self) -> None:
        raise NotImplementedError

    def on_disconnected(self) -> None:
        raise NotImplementedError

    def say(self, message: bytes, opcode: int = TEXT) -> None:
        key = self._key
        if key:
            self._out.append(_head(len(message), opcode, _MASKED) + key + apply_mask(message, key))
        else:
            self._out.append(_head(len(message), opcode, 0) + message)

    def flush(self) -> None:
        out = self._out
        if not out or not self.is_connected:
            return
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        written = self.wire.write(data)
        waits = written != len(data)
        if waits:
            out.append(data[written:])
        if waits != self._waits_to_write:
            self._waits_to_write = waits
            self.sockets.wait_to_write(self.wire.fd, waits)

    def say_goodbye(self) -> None:
        """The close frame, and no more after it; the socket closes when the other side has closed it, too."""
        if self.is_connected and not self._has_said_goodbye:
            self._has_said_goodbye = True
            self.say((1000).to_bytes(2), CLOSE)
            self.flush()
            self.wire.end()

    def disconnect(self) -> None:
        if self.is_connected:
            self.is_connected = False
            self.sockets.forget(self.wire.fd)
            self.wire.close()
            self.on_disconnected()

    def on_readable(self) -> None:
        while self.is_connected:
            data = self.wire.read()
            if data:
                self.receive(data)
            elif data is not None:
                self.disconnect()
            if data is None or len(data) < READ_BYTES:
                return

    def receive(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        size, at = len(data), 0
        while size - at >= 2:
            opcode, length, body = data[at], data[at + 1], at + 2
            masked, length = length & _MASKED, length & 0x7F
            if length >= 126:
                body += 2 if length == 126 else 8
                length = int.from_bytes(data[at + 2 : body])
            if masked:
                body += 4
            end = body + length
            if end > size:
                break
            message = data[body:end]
            if masked:
                message = apply_mask(message, data[body - 4 : body])
            at = end
            if opcode == TEXT:
                self.on_text(message)
            else:
                self._control(opcode, message)
        self._rest = data[at:]
        self.flush()

    def _control(self, opcode: int, message: bytes) -> None:
        if opcode == CLOSE:
            self.say_goodbye()
        elif opcode == PING:
            self.say(message, PONG)
        elif opcode != PONG:
            self.on_strange_frame()

"""Requests written byte by byte, as no client library would."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; status 0 when the connection was closed without one."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Wire:
    """A served process, spoken to from an address of this machine."""

    port: int
    source: str = "127.0.0.1"

    @contextlib.contextmanager
    def open(self, *parts: bytes) -> Iterator[socket.socket]:
        """A connection on which these bytes were sent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=15, source_address=(self.source, 0)) as sock:
            for part in parts:
                sock.sendall(part)
            yield sock

    def send(self, *parts: bytes, pause_s: float = 0) -> Answer:
        """The response to these bytes."""
        with self.open() as sock:
            for part in parts:
                try:
                    sock.sendall(part)
                except ConnectionError:
                    break  # the server may have responded already
                time.sleep(pause_s)
            return read_response(sock, parts[0].split(b" ")[0].decode() if parts else "")

    def request(self, method: str, path: str, body: bytes = b"", *, chunked: bool = True, **headers: str) -> Answer:
        return self.send(*request(method, path, body, chunked=chunked, **headers))


def request(method: str, path: str, body: bytes = b"", *, chunked: bool = True, **headers: str) -> list[bytes]:
    """Head and body: chunked, each byte of a short body in a chunk of its own, or with its length."""
    framing = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(body))}
    named = {"Host": "localhost", **framing, **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in named.items()) + "\r\n"
    if not chunked:
        return [head.encode(), body]
    step = 1 if len(body) < 2000 else 16_000
    pieces = [body[start : start + step] for start in range(0, len(body), step)]
    return [head.encode(), b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces), b"0\r\n\r\n"]


def read_response(sock: socket.socket, method: str = "") -> Answer:
    response = http.client.HTTPResponse(sock, method=method or None)
    try:
        response.begin()
        return Answer(response.status, response.read(), {name.lower(): value for name, value in response.getheaders()})
    except (ConnectionError, http.client.HTTPException, OSError):
        return Answer(0)
    finally:
        response.close()


def is_closed(sock: socket.socket, within_s: float) -> bool:
    """Whether the other side closes within the time; what it sends until then is read."""
    end = time.monotonic() + within_s
    with contextlib.suppress(ConnectionError):
        while (left_s := end - time.monotonic()) > 0:
            sock.settimeout(left_s)
            try:
                if not sock.recv(65536):
                    return True
            except TimeoutError:
                return False
        return False
    return True

"""An OpenAI that mints every client secret at once, for any request: python scripts/bench/instant_provider.py PORT"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import uvloop


class Connection(asyncio.Protocol):
    """One request after the other on a connection that is kept; a request is its headers and Content-Length bytes."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._end_of_request()) is not None:
            self._received = self._received[end:]
            self._transport.write(answer())

    def _end_of_request(self) -> int | None:
        head, mark, body = self._received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]) if mark else 0
        return len(head) + len(mark) + length if mark and len(body) >= length else None


def answer() -> bytes:
    now_ns = time.time_ns()
    session = {"type": "realtime", "id": f"sess_{now_ns}", "model": "gpt-realtime-2.1"}
    secret = {"value": f"ek_{now_ns}", "expires_at": now_ns // 10**9 + 60, "session": session}
    body = json.dumps(secret).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))

"""Between processes of one machine: a socket in a folder that no other user may enter."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from struct import Struct
from typing import cast

from .listeners import Frame, Listener
from .outlet import Outlet

KIND = "machine"
LARGEST_FRAME = 64 * 1024
CONNECT_WITHIN_S = 2.0

# Whether it is text, and how long it is.
_head = Struct("!?I")


@asynccontextmanager
async def inlet(listener: Listener) -> AsyncIterator[str]:
    folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="voiceapp-")
    path = Path(folder) / "inlet"
    connected: set[asyncio.StreamWriter] = set()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.add(writer)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, OSError, ValueError):
                while True:
                    listener.hear(await _read(reader))
        finally:
            listener.gone.set()
            connected.discard(writer)
            writer.close()

    server = await asyncio.start_unix_server(receive, path)
    try:
        yield f"{KIND}:{path}"
    finally:
        server.close()
        listener.gone.set()
        for writer in connected:  # a server that is closed leaves them open
            writer.close()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _read(reader: asyncio.StreamReader) -> Frame:
    """Raises IncompleteReadError at the end, ValueError for what no outlet sends."""
    is_text, size = _head.unpack(await reader.readexactly(_head.size))
    if size > LARGEST_FRAME:
        raise ValueError("a frame that is too large")
    content = await reader.readexactly(size)
    return content.decode() if is_text else content


class MachineOutlet(Outlet, asyncio.Protocol):
    """Connects to an inlet, which sends nothing: what comes of it is its end."""

    _transport: asyncio.WriteTransport | None = None
    _is_full = False

    async def _open(self) -> None:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await asyncio.get_running_loop().create_unix_connection(lambda: self, self._place)

    def _send(self) -> None:
        if self._transport is not None and not (self._is_full or self._transport.is_closing()):
            self._write(self._transport)

    def _close(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._write(self._transport)
            self._transport.close()

    def _write(self, transport: asyncio.WriteTransport) -> None:
        if self._waiting:
            transport.write(b"".join(map(_packed, self._waiting)))
            self._waiting.clear()

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.listener.gone.set()


def _packed(frame: Frame) -> bytes:
    content = frame.encode() if isinstance(frame, str) else frame
    return _head.pack(isinstance(frame, str), len(content)) + content

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


class MachineOutlet(Outlet):
    """Connects to an inlet."""

    async def _send_all(self) -> None:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            reader, writer = await asyncio.open_unix_connection(self._place)
        leaving = asyncio.create_task(self._until_gone(reader))
        try:
            while (frame := await self._next()) is not None:
                content = frame.encode() if isinstance(frame, str) else frame
                writer.write(_head.pack(isinstance(frame, str), len(content)) + content)
                await writer.drain()
        finally:
            leaving.cancel()
            writer.close()

    async def _until_gone(self, reader: asyncio.StreamReader) -> None:
        """An inlet sends nothing: what ends is its socket."""
        with contextlib.suppress(OSError):
            await reader.read(1)
        self.listener.gone.set()
        self._news.set()

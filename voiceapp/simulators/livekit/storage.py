"""Where a recording's file goes: a folder of this machine, or a bucket that is also played on it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiohttp
from livekit.protocol.egress import EncodedFileOutput

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONGEST_UPLOAD_S = 10


class StorageRefused(Exception):
    """It is not kept, for this reason."""


async def keep(content: bytes, *, name: str, output: EncodedFileOutput, directory: Path) -> str:
    """Its location, as LiveKit would tell it. Raises StorageRefused.

    A bucket of Amazon's own is not written to: nothing here leaves this machine.
    """
    if output.HasField("s3"):
        bucket, endpoint = output.s3.bucket, output.s3.endpoint.rstrip("/")
        if not endpoint:
            return f"https://{bucket}.s3.amazonaws.com/{name}"
        address = f"{endpoint}/{bucket}/{quote(name)}"
        if urlsplit(endpoint).hostname not in _LOOPBACK:
            raise StorageRefused(f"{endpoint} is not on this machine")
        await _upload(content, address)
        return address
    return await asyncio.to_thread(_write, content, directory, name)


async def _upload(content: bytes, address: str) -> None:
    """Unsigned: the local AWS asks for no signature."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_LONGEST_UPLOAD_S)) as session,
            session.put(address, data=content) as answer,
        ):
            if answer.status >= 300:
                raise StorageRefused(f"the bucket answered {answer.status}")
    except (aiohttp.ClientError, TimeoutError) as exc:
        raise StorageRefused(f"{type(exc).__name__}") from exc


def _write(content: bytes, directory: Path, name: str) -> str:
    directory = directory.resolve()
    path = Path(os.path.normpath(directory / name.lstrip("/")))
    if not path.is_relative_to(directory):
        raise StorageRefused("the path leads out of the folder of recordings")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path)

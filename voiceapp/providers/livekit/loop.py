"""The event loop and HTTP session of this process for livekit-api, which is async only.

It runs in its own thread, because its callers are Django views and Celery tasks. A forked child creates another.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import aiohttp
from livekit import api

from voiceapp.core.kept_texts import KeptText
from voiceapp.core.per_process import per_process
from voiceapp.providers.errors import RetryClass, retry_after_s, retry_class_of

from .errors import KIND_BY_STATUS, LiveKitError, LiveKitErrorKind

T = TypeVar("T")

CONNECT_TIMEOUT_S = 2.0
REQUEST_TIMEOUT_S = 12.0
# For the loop to hand over a response that arrives just before the timeout.
GRACE_S = 1.0


class LoopThread:
    """Runs coroutines for other threads. Created by `loop_thread()` only."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._clients: dict[tuple[str, str, str], api.LiveKitAPI] = {}
        self._clients_lock = threading.Lock()
        self._thread = threading.Thread(target=self._loop.run_forever, name="livekit", daemon=True)
        self._thread.start()
        self._session = self.run(_open_session(), within_s=CONNECT_TIMEOUT_S)

    def run(self, work: Coroutine[Any, Any, T], *, within_s: float) -> T:
        """Wait for the result. Raises what the coroutine raises, and TimeoutError."""
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, within_s), self._loop)
        try:
            return future.result(within_s + GRACE_S)
        finally:
            future.cancel()

    def client(self, url: str, *, api_key: str, api_secret: str) -> api.LiveKitAPI:
        with self._clients_lock:
            key = (url, api_key, api_secret)
            if key not in self._clients:
                self._clients[key] = api.LiveKitAPI(url, api_key, api_secret, session=self._session)
            return self._clients[key]

    def close(self) -> None:
        self.run(self._session.close(), within_s=CONNECT_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(GRACE_S)


async def _open_session() -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S)
    return aiohttp.ClientSession(timeout=timeout, raise_for_status=_check)


async def _check(response: aiohttp.ClientResponse) -> None:
    """A proxy's page or an empty body, parsed as protobuf, would mean "no such room" or "nobody in it".

    Raises LiveKitError if LiveKit names a wait: livekit-api would ignore it.
    """
    wait_s = retry_after_s(response.headers.get("Retry-After"))
    if retry_class_of(response.status, retry_after_s=wait_s) is RetryClass.WAIT:
        kind = KIND_BY_STATUS.get(response.status, LiveKitErrorKind.UNAVAILABLE)
        raise LiveKitError(kind, KeptText("returned %(status)d", status=response.status), retry_after_s=wait_s)
    is_call = "/twirp/" in response.url.path
    if is_call and response.status == 200 and response.content_type != "application/protobuf":
        raise aiohttp.ClientPayloadError(f"a response of type {response.content_type[:50]}")


@per_process
def loop_thread() -> LoopThread:
    """This process's, created at first use."""
    return LoopThread()


@atexit.register
def _close() -> None:
    for thread in loop_thread.values.values():
        thread.close()

"""The simulator of LiveKit in a thread of its own, for blocking clients, and a receiver of its webhooks."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import httpx
from pytest_django import Settings

from voiceapp.simulators.livekit import LiveKitSimulator
from voiceapp.simulators.livekit.backend import LiveKitBackend

T = TypeVar("T")

API_KEY = "APItest"
API_SECRET = "a-secret-of-thirty-two-characters-or-more"


class RunningLiveKit:
    """Made by `running_livekit()`. Its actions run on the server's own loop."""

    def __init__(self, server: LiveKitSimulator, loop: asyncio.AbstractEventLoop) -> None:
        self.server, self._loop = server, loop
        # Plain http: without a certificate store to load, which takes its time.
        self._http = httpx.Client(trust_env=False, timeout=10, verify=False)

    @property
    def url(self) -> str:
        return self.server.base_url

    def do(self, act: Callable[[LiveKitBackend], T]) -> T:
        async def now() -> T:
            return act(self.server.backend)

        return asyncio.run_coroutine_threadsafe(now(), self._loop).result(5)

    def join(self, token: str, **given: object) -> dict[str, Any]:
        """A person joins with this token and publishes a microphone. Raises httpx.HTTPStatusError."""
        return self.control("POST", "join", json={"token": token, **given})

    def leave(self, room: str, identity: str) -> None:
        self.control("POST", f"rooms/{room}/participants/{identity}/leave")

    def advance(self, seconds: float) -> None:
        self.control("POST", "clock", json={"advance_s": seconds})

    def webhooks(self) -> list[dict[str, Any]]:
        """All webhooks that were sent, when the last one is delivered or given up."""
        sent: list[dict[str, Any]] = self.control("GET", "webhooks", params={"idle": 1})["webhooks"]
        return sent

    def close(self) -> None:
        self._http.close()

    def control(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        response = self._http.request(method, f"{self.url}/local/{path}", **given)
        response.raise_for_status()
        content: dict[str, Any] = response.json()
        return content


@contextlib.contextmanager
def running_livekit(**options: Any) -> Iterator[RunningLiveKit]:
    """`options` are the server's; pauses are short unless said otherwise."""
    quick = {"agent_after_s": 0.01, "egress_step_s": 0.01, "webhook_pause_s": 0.01, "egress_wait_s": 0.01}
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="LiveKit simulator", daemon=True)
    thread.start()

    async def make() -> LiveKitSimulator:
        return await LiveKitSimulator(**({"api_key": API_KEY, "api_secret": API_SECRET} | quick | options)).__aenter__()

    server = asyncio.run_coroutine_threadsafe(make(), loop).result(5)
    running = RunningLiveKit(server, loop)
    try:
        yield running
    finally:
        running.close()
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def name_livekit(settings: Settings, url: str) -> None:
    """The product's LiveKit is the one at this address."""
    settings.LIVEKIT_HOST = settings.LIVEKIT_INTERNAL_URL = url
    settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET = API_KEY, API_SECRET


class Receiver(ThreadingHTTPServer):
    """Keeps (body, Authorization) of each webhook; responds with the next of `statuses`, then with 200.

    What is put, as into a bucket, is kept by its path.
    """

    daemon_threads = True

    def __init__(self, statuses: Sequence[int] = ()) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = list(statuses)
        self.received: list[tuple[bytes, str]] = []
        self.types: set[str] = set()
        self.put: list[tuple[str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/voice/webhook"


class _Handler(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        assert isinstance(self.server, Receiver)
        self.server.put.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self._respond(200)

    def do_POST(self) -> None:
        assert isinstance(self.server, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((body, self.headers["Authorization"]))
        self.server.types.add(self.headers["Content-Type"])
        self._respond(self.server.statuses.pop(0) if self.server.statuses else 200)

    def _respond(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def receiving(statuses: Sequence[int] = ()) -> Iterator[Receiver]:
    with Receiver(statuses) as receiver:
        threading.Thread(target=receiver.serve_forever, args=(0.01,), daemon=True).start()
        yield receiver
        receiver.shutdown()

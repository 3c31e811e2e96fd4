"""The two LiveKits of the contract: the simulator, and a real server with people who really join."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.people import People, people
from voiceapp.simulators.livekit.tests.running import (
    API_KEY,
    API_SECRET,
    Receiver,
    RunningLiveKit,
    receiving,
    running_livekit,
)
from voiceapp.tests import livekit_server
from voiceapp.tests.waiting import soon

WEBHOOKS_WITHIN_S = 10


class Side(Protocol):
    """What both can: somebody joins with a token and a microphone, leaves, and webhooks arrive."""

    receiver: Receiver
    url: str
    api_key: str
    api_secret: str

    @property
    def client(self) -> LiveKitClient: ...

    def join(self, token: str) -> None: ...

    def leave(self, room: str, identity: str) -> None: ...


class Simulator:
    """No worker and no Redis, as on a plain server."""

    def __init__(self, livekit: RunningLiveKit, receiver: Receiver) -> None:
        self.livekit, self.receiver = livekit, receiver
        self.url, self.api_key, self.api_secret = livekit.url, API_KEY, API_SECRET

    @property
    def client(self) -> LiveKitClient:
        return LiveKitClient(url=self.url, api_key=self.api_key, api_secret=self.api_secret)

    def join(self, token: str) -> None:
        self.livekit.join(token)

    def leave(self, room: str, identity: str) -> None:
        self.livekit.leave(room, identity)


class SimulatorWithClients(Simulator):
    """Those who join are LiveKit's own clients, as with the real server."""

    def __init__(self, livekit: RunningLiveKit, receiver: Receiver, who: People) -> None:
        super().__init__(livekit, receiver)
        self._people = who

    def join(self, token: str) -> None:
        self._people.join(token)

    def leave(self, room: str, identity: str) -> None:
        self._people.leave(room, identity)


class RealServer:
    def __init__(self, url: str, api_key: str, api_secret: str, who: People, receiver: Receiver) -> None:
        self.receiver = receiver
        self.url, self.api_key, self.api_secret, self._people = url, api_key, api_secret, who

    @property
    def client(self) -> LiveKitClient:
        return LiveKitClient(url=self.url, api_key=self.api_key, api_secret=self.api_secret)

    def join(self, token: str) -> None:
        self._people.join(token)

    def leave(self, room: str, identity: str) -> None:
        self._people.leave(room, identity)


@contextlib.contextmanager
def simulator(*, auto_create: bool = True) -> Iterator[Simulator]:
    with (
        receiving() as receiver,
        running_livekit(
            faults=["redis_required"],
            agent_names=[],
            webhook_urls=[receiver.url],
            auto_create=auto_create,
            egress_wait_s=21,
        ) as livekit,
    ):
        yield Simulator(livekit, receiver)


@contextlib.contextmanager
def started_server(folder: Path, *, auto_create: bool = True) -> Iterator[RealServer]:
    """A server of our own that is there for this block."""
    with (
        receiving() as receiver,
        livekit_server.running(folder, webhook_urls=[receiver.url], auto_create=auto_create) as server,
        people(server.url) as who,
    ):
        yield RealServer(server.url, livekit_server.API_KEY, livekit_server.API_SECRET, who, receiver)


def events_of(side: Side, room: str) -> list[dict[str, Any]]:
    """The webhooks about a room, as JSON."""
    bodies = [json.loads(body) for body, _ in side.receiver.received]
    return [body for body in bodies if body.get("room", {}).get("name") == room]


def wait_for_events(side: Side, room: str, count: int) -> list[dict[str, Any]]:
    """The first so many."""

    def arrived() -> list[dict[str, Any]] | None:
        events = events_of(side, room)
        return events if len(events) >= count else None

    return soon(arrived, within_s=WEBHOOKS_WITHIN_S)

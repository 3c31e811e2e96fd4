"""The load over real sockets, against relays that each spoil one frame of every call."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable

import calls
import load
import pytest
import relay
import steady
from frames import Faults, make_frame, read_frame
from picows import WSListener, WSMsgType, ws_connect, ws_create_server

CALLS = 3
SPOILT = 16


@pytest.fixture(autouse=True)
def short_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "WARM_UP_ROUNDS", 1)
    monkeypatch.setattr(load, "WARM_UP_S", 0.0)
    monkeypatch.setattr(load, "LEFT_AFTER_S", 0.1)
    monkeypatch.setattr(calls, "ARRIVE_S", 0.1)
    monkeypatch.setattr(steady, "SETTLE_S", 0.1)


def spoilt_relay(spoil: Callable[[int, bytes], list[bytes]]) -> type[relay.ProviderSide]:
    class Spoiling(relay.ProviderSide):
        def on_ws_frame(self, transport, frame):
            message = frame.get_payload_as_bytes()
            if not message.startswith(b'{"type":"response.output_audio.delta",'):
                super().on_ws_frame(transport, frame)
                return
            payload = message[message.find(b'"delta":"') + 9 : -2]
            for each in spoil(self.frames, payload):
                self.call.transport.send(WSMsgType.TEXT, self.call.media % each)
            self.frames += 1

    return Spoiling


async def play() -> load.Sight:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        provider_port = free.getsockname()[1]
    provider_url = f"ws://127.0.0.1:{provider_port}/v1/realtime"
    server = await ws_create_server(lambda request: relay.CallerSide(provider_url), "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    plan = load.Plan([os.getpid()], provider_port, calls=[CALLS], seconds=0.3, streams=[url])
    [seen] = await steady.play(load.Load(plan))
    server.close()
    return seen


def untouched(number: int, payload: bytes) -> list[bytes]:
    return [payload]


def losing(number: int, payload: bytes) -> list[bytes]:
    return [] if number == SPOILT else [payload]


def doubling(number: int, payload: bytes) -> list[bytes]:
    return [payload, payload] if number == SPOILT else [payload]


def changing(number: int, payload: bytes) -> list[bytes]:
    return [payload[:100] + b"AAAA" + payload[104:]] if number == SPOILT else [payload]


def crossing(number: int, payload: bytes) -> list[bytes]:
    call, sequence = read_frame(payload) or (0, 0)
    return [payload, make_frame(call + 1, sequence)] if number == SPOILT else [payload]


def swapping() -> Callable[[int, bytes], list[bytes]]:
    held: dict[int, bytes] = {}

    def swap(number: int, payload: bytes) -> list[bytes]:
        call, _ = read_frame(payload) or (0, 0)
        if number == SPOILT:
            held[call] = payload
            return []
        return [payload, held.pop(call)] if call in held else [payload]

    return swap


@pytest.mark.parametrize(
    ("spoil", "faults"),
    [
        pytest.param(untouched, Faults(), id="nothing"),
        pytest.param(losing, Faults(lost=CALLS), id="loses"),
        pytest.param(swapping(), Faults(reordered=CALLS), id="swaps"),
        pytest.param(doubling, Faults(duplicated=CALLS), id="doubles"),
        pytest.param(changing, Faults(lost=CALLS, corrupt=CALLS), id="changes"),
        pytest.param(crossing, Faults(cross_talk=CALLS), id="crosses"),
    ],
)
def test_a_relay_that_spoils_one_frame_of_each_call_is_found_out(
    spoil: Callable[[int, bytes], list[bytes]], faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "ProviderSide", spoilt_relay(spoil))
    seen = asyncio.run(play())
    assert seen.faults == faults
    assert seen.calls_failed == 0
    assert seen.provider_connections_left == 0


def test_provider_connections_that_stay_open_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay.CallerSide, "on_ws_disconnected", lambda self, transport: None)
    seen = asyncio.run(play())
    assert seen.provider_connections_left == CALLS + load.WARM_UP_CALLS


def test_provider_connections_that_wait_for_a_call_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    class WithIdleLink(relay.CallerSide):
        def on_ws_connected(self, transport):
            super().on_ws_connected(transport)
            self.idle = asyncio.ensure_future(ws_connect(WSListener, self.provider_url))

    monkeypatch.setattr(relay, "CallerSide", WithIdleLink)
    seen = asyncio.run(play())
    assert seen.provider_connections_left == 0
    assert seen.faults == Faults()

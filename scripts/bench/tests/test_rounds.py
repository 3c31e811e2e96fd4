"""The rounds of the load, and the manners of its provider, with a bare relay over real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import ssl
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import calls
import first_word
import load
import node_peer
import pytest
import recorded
import relay
import ringing
import steady
from caller import Caller
from certificate import write_certificate
from first_word import FirstWord
from frames import Faults
from node_peer import NodeUnavailable
from picows import WSUpgradeRequest, ws_create_server
from provider import Manner
from webhook import StreamAddress

# Frames every 20 ms: a late one is a fault of the load.
pytestmark = pytest.mark.sound

CALLS = 3
Seen = TypeVar("Seen")


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "WARM_UP_ROUNDS", 0)
    monkeypatch.setattr(load, "LEFT_AFTER_S", 0.1)
    monkeypatch.setattr(steady, "SETTLE_S", 0.1)
    monkeypatch.setattr(calls, "ARRIVE_S", 0.2)


def play(
    round_: Callable[[load.Load], Awaitable[Seen]],
    *,
    manner: Manner | None = None,
    refuses: Callable[[], bool] = lambda: False,
) -> Seen:
    manner = manner or Manner()

    async def around_a_relay() -> Seen:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        url, tls = f"ws://127.0.0.1:{port}/v1/realtime", None
        if manner.certificate:
            url, tls = url.replace("ws:", "wss:"), ssl.create_default_context(cafile=manner.certificate)

        def admit(request: WSUpgradeRequest) -> relay.CallerSide | None:
            return None if refuses() else relay.CallerSide(url, tls)

        server = await ws_create_server(admit, "127.0.0.1", 0)
        stream = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        plan = load.Plan([os.getpid()], port, calls=[CALLS], seconds=1.0, streams=[stream], manner=manner)
        seen = await round_(load.Load(plan))
        server.close()
        return seen

    return asyncio.run(around_a_relay())


def test_frames_that_the_provider_says_by_itself_are_checked_and_timed() -> None:
    [seen] = play(steady.play, manner=Manner(talks=True))
    assert seen.faults == Faults()
    assert seen.is_flawless()
    assert 35 < seen.frames_per_call_second < 65
    assert seen.marks_per_call_second < 10
    assert 0 < seen.added_delay_p50_ms < 100


def test_frames_pass_through_tls(tmp_path: Path) -> None:
    [seen] = play(steady.play, manner=Manner(certificate=str(write_certificate(tmp_path / "provider.pem"))))
    assert seen.is_flawless()
    assert seen.frames_per_call_second > 40


def test_calls_ring_and_end_beside_live_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ringing, "SETTLE_S", 0.1)
    monkeypatch.setattr(ringing, "HOLD_S", 0.2)
    seen = play(ringing.play)
    assert seen.rung == ringing.RINGS_PER_S
    assert seen.refused == 0
    assert seen.is_flawless()
    assert seen.window.calls == CALLS
    assert seen.window.frames_per_call_second > 40
    assert seen.latest_ms > 0


def test_a_ring_that_is_refused_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ringing, "SETTLE_S", 0.1)
    monkeypatch.setattr(ringing, "HOLD_S", 0.2)
    rung = iter(range(1000))
    seen = play(ringing.play, refuses=lambda: next(rung) % 10 == 9)
    assert seen.refused == 3


def test_each_process_records_while_the_other_does_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    database = tmp_path / "agents.sqlite3"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE agents_agentversion (recording)")
        connection.execute("INSERT INTO agents_agentversion VALUES ('off')")
    rung: list[tuple[str, str]] = []

    async def address(self: load.Load, caller: Caller) -> StreamAddress:
        with closing(sqlite3.connect(database)) as connection:
            [(recording,)] = connection.execute("SELECT recording FROM agents_agentversion").fetchall()
        [webhook] = self.webhooks
        rung.append((webhook, recording))
        return StreamAddress(self.plan.streams[0])

    def in_two_processes(one: load.Load) -> Awaitable[recorded.Recorded]:
        audience = load.Audience(database=str(database))
        two = replace(one.plan, pids=[os.getpid()] * 2, webhooks=["a", "b"], calls=[2], audience=audience)
        return recorded.play(load.Load(two))

    monkeypatch.setattr(load.Load, "address", address)
    monkeypatch.setattr(load.Load, "warm_up", lambda self: asyncio.sleep(0))
    monkeypatch.setattr(recorded, "TURNS", 1)
    for name in ("SETTLE_S", "BRIEFED_S", "END_WITHIN_S"):
        monkeypatch.setattr(recorded, name, 0.1)
    seen = play(in_two_processes)
    assert rung == [("a", "bridge"), ("b", "off"), ("b", "bridge"), ("a", "off")]
    [plain], [with_recording] = seen.plain, seen.recorded
    assert plain.is_flawless()
    assert min(plain.cpu_ms_per_call_second, with_recording.cpu_ms_per_call_second) > 0


def test_the_first_word_is_timed_from_the_start_of_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_word, "BETWEEN_CALLS_S", 0.0)
    seen: FirstWord = play(first_word.play, manner=Manner(connects_after_s=0.2, speaks_after_s=0.3))
    assert len(seen.waits_ms) == CALLS
    assert 500 <= min(seen.waits_ms) < 1500


def test_a_call_in_which_nothing_is_heard_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_word, "BETWEEN_CALLS_S", 0.0)
    monkeypatch.setattr(first_word, "HEARD_WITHIN_S", 0.1)
    seen: FirstWord = play(first_word.play, manner=Manner(connects_after_s=5))
    assert (seen.waits_ms, seen.unheard) == ([], CALLS)


def test_a_quiet_line_is_not_audible() -> None:
    assert not first_word.is_audible(b"\xff\x7f\xfe\x7e" * 40)
    assert first_word.is_audible(b"\xff" * 100 + b"\x90" * 60)


def test_without_node_the_peer_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NodeUnavailable, match="not installed"):
        node_peer.install(tmp_path)

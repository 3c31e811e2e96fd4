"""How long sound is under way in a room: from what jitter buffers have counted, the agent's own and the caller's."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
import time_machine

from telephony.livekit.agent.buffer_delay import LONGEST_S, BufferDelay, Counted
from telephony.livekit.agent.way import CODING_HERE_S, CODING_THERE_S, TOPIC, Way

EVERY_S = 0.1
RATE = 48_000
MS = 1 / 1000


class Buffer:
    """A jitter buffer that counts, ten times a second."""

    def __init__(self) -> None:
        self.at_s = 0.0
        self.delay = BufferDelay()
        self._waited_s = self._taken = self._added_s = 0.0

    def run(self, seconds: float, *, waiting_ms: float, late_ms: float = 0.0, left_out_ms: float = 0.0) -> None:
        """`late_ms`: every other packet waited so much less. `left_out_ms`: in each tenth of a second."""
        for index in range(round(seconds / EVERY_S)):
            self._added_s -= left_out_ms * MS
            taken = EVERY_S * RATE
            self._waited_s += taken * (waiting_ms - late_ms * (index % 2)) * MS
            self._count(taken)

    def fill(self, gap_ms: float) -> None:
        """Sound was late: it waits longer from now on."""
        self._added_s += gap_ms * MS
        self._count(0)

    def restart(self) -> None:
        self._waited_s = self._taken = self._added_s = 0.0
        self._count(0)

    def _count(self, taken: float) -> None:
        self.at_s += EVERY_S
        self._taken += taken
        self.delay.add(Counted(self.at_s, self._waited_s, self._taken, self._added_s))

    def at_ms(self, at_s: float) -> float:
        found = self.delay.at(at_s)
        assert found is not None
        return found / MS


def test_what_a_packet_waited_that_came_late_does_not_count() -> None:
    buffer = Buffer()
    buffer.run(4, waiting_ms=100, late_ms=60)
    assert [buffer.at_ms(at_s) for at_s in (0.3, 2, 3.9)] == [pytest.approx(100)] * 3


def test_a_gap_that_was_filled_counts_from_its_time_on() -> None:
    buffer = Buffer()
    buffer.run(3, waiting_ms=40)
    buffer.fill(69)
    buffer.run(3, waiting_ms=109)
    buffer.fill(-20)
    buffer.run(3, waiting_ms=89)
    found = [buffer.at_ms(at_s) for at_s in (0.2, 2.9, 3.3, 6.0, 6.4, 9.0)]
    assert found == [pytest.approx(each) for each in (40, 40, 109, 109, 89, 89)]


def test_the_first_sound_is_known_from_what_follows() -> None:
    """The first packets were taken out at once, and the buffer filled the gap behind them."""
    buffer = Buffer()
    buffer.run(0.2, waiting_ms=0)
    buffer.fill(60)
    buffer.run(2, waiting_ms=80)
    assert buffer.at_ms(0.1) == pytest.approx(20)


def test_a_buffer_that_catches_up_all_the_time_is_known() -> None:
    """A machine that had no time: over a second waits, and a part of it is left out in each tenth of a second."""
    buffer = Buffer()
    for index in range(60):
        buffer.run(EVERY_S, waiting_ms=1200 - 10 * index, left_out_ms=10)
    found = [buffer.at_ms(at_s) for at_s in (1, 3, 5)]
    assert found == [pytest.approx(1200 - 100 * at_s, abs=10) for at_s in (1, 3, 5)]


def test_another_buffer_says_nothing_about_the_one_before_it() -> None:
    buffer = Buffer()
    buffer.run(2, waiting_ms=40)
    buffer.restart()
    buffer.run(2, waiting_ms=300)
    assert [buffer.at_ms(at_s) for at_s in (2.0, 2.2, 4.0)] == [pytest.approx(each) for each in (40, 300, 300)]


def test_nothing_is_known_of_a_buffer_that_gave_nothing() -> None:
    buffer = Buffer()
    assert buffer.delay.at(1.0) is None
    buffer.fill(10)
    buffer.fill(10)
    assert buffer.delay.at(1.0) is None


@dataclass
class Someone:
    identity: str


@dataclass
class Packet:
    """What LiveKit's client hands over."""

    data: bytes
    participant: Someone | None = field(default_factory=lambda: Someone("caller"))
    topic: str = TOPIC


class Room:
    def __init__(self) -> None:
        self.way = Way(self)  # type: ignore[arg-type]  # as much of it as is used
        self.way.listen_to("caller")

    def on(self, event: str, handler: Any) -> None:
        self.hand_over = handler

    def report(self, waiting_ms: float, *, reports: int = 30, **more: object) -> None:
        with time_machine.travel(0, tick=False) as clock:
            for index in range(reports):
                clock.move_to(index * EVERY_S)
                taken = index * RATE * EVERY_S
                body = {"waited_s": taken * waiting_ms * MS, "taken": taken, "added_s": 0.0} | more
                self.hand_over(Packet(json.dumps(body).encode()))


def test_what_is_sent_is_heard_when_the_callers_client_says() -> None:
    room = Room()
    room.report(180, round_trip_s=0.06, device_s=0.02)
    assert room.way.heard_at(1.0) == pytest.approx(1.0 + CODING_THERE_S + 0.18 + 0.03 + 0.02)
    assert room.way.spoken_at(1.0) == pytest.approx(1.0 - CODING_HERE_S - 0.03)


@pytest.mark.parametrize(
    "packet",
    [
        Packet(b"no report"),
        Packet(b"[" * 300),
        Packet(b'{"waited_s": 1e999, "taken": 1, "added_s": 0}'),
        Packet(b'{"waited_s": "1", "taken": 1, "added_s": 0}'),
        Packet(b'{"waited_s": 1, "taken": 1, "added_s": 0, "pad": "' + b"x" * 500 + b'"}'),
        Packet(b'{"waited_s": 1, "taken": 1, "added_s": 0}', participant=Someone("stranger")),
        Packet(b'{"waited_s": 1, "taken": 1, "added_s": 0}', participant=None),
        Packet(b'{"waited_s": 1, "taken": 1, "added_s": 0}', topic="lk.chat"),
    ],
)
def test_what_is_no_report_of_the_caller_changes_nothing(packet: Packet) -> None:
    room = Room()
    room.report(180)
    before_s = room.way.heard_at(1.0)
    room.hand_over(packet)
    assert room.way.heard_at(1.0) == before_s


@pytest.mark.parametrize("waiting_ms", [1e12, -1e12])
def test_no_report_moves_the_agent_out_of_the_recording(waiting_ms: float) -> None:
    room = Room()
    room.report(waiting_ms, round_trip_s=1e9, device_s=-5.0)
    assert 0 <= room.way.heard_at(1.0) - 1.0 <= LONGEST_S + 1.0

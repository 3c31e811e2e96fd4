"""Where the recorder of a room puts what it gets: without a gap while sound goes on, and nothing upon the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice.recorder_io.recorder_io import _Captured

from telephony.livekit.agent.placed_recorder import (
    AGENT,
    CALLER,
    HEARD_AFTER_S,
    SAID_AFTER_S,
    PlacedRecorder,
    pieces_of,
)

RATE, FRAME = 24_000, 480
FRAME_S = FRAME / RATE
BEGAN_S = 1_000.0


class StandingWay:
    """`late_s`: of what is received from these times on."""

    def __init__(self, late_s: dict[float, float]) -> None:
        self._late_s = late_s

    def spoken_at(self, received_s: float) -> float:
        return received_s - [late_s for since_s, late_s in self._late_s.items() if since_s <= received_s][-1]

    def heard_at(self, sent_s: float) -> float:
        return sent_s + 0.2


class Listed(PlacedRecorder):
    """`placed`: what would be encoded, as channel, samples from the beginning, and their number."""

    def __init__(self, way: Any) -> None:
        super().__init__(None, way)  # type: ignore[arg-type]  # the session is not used
        self._t0 = BEGAN_S
        self.placed: list[tuple[int, int, int]] = []

    def _put(self, item: object) -> None:
        if isinstance(item, _Captured):
            at = round((item.started_at - BEGAN_S) * RATE)
            self.placed.append((item.channel, at, item.frame.samples_per_channel))

    def hear(self, at_s: float, *, loudness: int = 8000) -> None:
        self._heard.append((at_s, frame_of(FRAME, loudness)))


def frame_of(samples: int, loudness: int = 8000) -> rtc.AudioFrame:
    return rtc.AudioFrame(np.full(samples, loudness, np.int16).tobytes(), RATE, 1, samples)


async def recorder(late_s: dict[float, float] | None = None) -> Listed:
    return Listed(StandingWay(late_s or {0: 0.1}))


def ends(recorder: Listed, channel: int) -> list[tuple[int, int]]:
    """In ms, the beginnings and ends of what has no gap."""
    runs: list[tuple[int, int]] = []
    for of, at, count in recorder.placed:
        if of != channel:
            continue
        if runs and runs[-1][1] == at:
            runs[-1] = (runs[-1][0], at + count)
        else:
            runs.append((at, at + count))
    return [(begin * 1000 // RATE, end * 1000 // RATE) for begin, end in runs]


@pytest.mark.asyncio
async def test_frames_that_the_loop_was_late_to_take_have_no_gap() -> None:
    listed = await recorder()
    for index in range(100):
        due_s = BEGAN_S + 1 + index * FRAME_S
        listed.hear(max(due_s, BEGAN_S + 1.7) if 20 <= index < 50 else due_s)
    listed._place(math.inf)
    assert ends(listed, CALLER) == [(900, 2900)]


@pytest.mark.asyncio
async def test_sound_that_the_buffer_left_out_leaves_its_place_and_what_it_filled_in_gives_way() -> None:
    listed = await recorder({0: 0.1, BEGAN_S + 2: 0.06, BEGAN_S + 3: 0.16})
    for index in range(150):
        listed.hear(BEGAN_S + 1 + index * FRAME_S)
    listed._place(math.inf)
    # 40 ms were left out after a second; a second later it filled 100 ms in.
    assert ends(listed, CALLER) == [(900, 1900), (1940, 3840)]


@pytest.mark.asyncio
async def test_what_moves_by_less_than_is_heard_stays_in_one_piece() -> None:
    listed = await recorder({0: 0.1, BEGAN_S + 2: 0.094})
    for index in range(100):
        listed.hear(BEGAN_S + 1 + index * FRAME_S)
    listed._place(math.inf)
    assert ends(listed, CALLER) == [(900, 2900)]


@pytest.mark.asyncio
async def test_what_is_not_settled_waits() -> None:
    listed = await recorder()
    now_s = BEGAN_S + 10
    for index in range(500):
        listed.hear(BEGAN_S + index * FRAME_S)
    listed._said.extend(pieces_of(now_s - SAID_AFTER_S - 0.5, frame_of(RATE)))
    listed._place(now_s)
    [(_, caller_ms)], [(begin_ms, agent_ms)] = ends(listed, CALLER), ends(listed, AGENT)
    assert caller_ms == pytest.approx(10_000 - HEARD_AFTER_S * 1000 - 100, abs=20)
    assert agent_ms == pytest.approx(10_000 - SAID_AFTER_S * 1000 + 200, abs=20)
    # What was spoken before it began to record has no place.
    assert min(at for _, at, _ in listed.placed) >= 0
    listed._place(math.inf)
    assert ends(listed, AGENT) == [(begin_ms, begin_ms + 1000)]


def test_pieces_are_the_whole() -> None:
    whole = frame_of(FRAME * 2 + 100)
    pieces = list(pieces_of(5.0, whole))
    assert [(round(at_s, 3), frame.samples_per_channel) for at_s, frame in pieces] == [
        (5.0, 480),
        (5.02, 480),
        (5.04, 100),
    ]
    assert b"".join(bytes(frame.data) for _, frame in pieces) == bytes(whole.data)

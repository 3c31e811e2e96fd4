"""The clock of time-outs runs in real time and can be advanced."""

from __future__ import annotations

import asyncio

import pytest

from voiceapp.simulators.livekit.clock import Clock

pytestmark = pytest.mark.asyncio


async def test_what_is_due_happens_by_itself() -> None:
    clock, done = Clock(), asyncio.Event()
    clock.call_later(0.01, done.set)
    await asyncio.wait_for(done.wait(), 2)


async def test_setting_it_forward_makes_happen_what_is_due_by_then_in_order() -> None:
    clock = Clock()
    seen: list[tuple[str, int]] = []
    begin_s = clock.now_s

    def note(name: str) -> None:
        seen.append((name, round(clock.now_s - begin_s)))

    def note_and_set_another() -> None:
        note("first")
        clock.call_later(5, lambda: note("from the first"))

    clock.call_later(20, lambda: note("second"))
    clock.call_later(10, note_and_set_another)
    clock.call_later(15, lambda: note("never")).cancel()
    clock.call_later(60, lambda: note("later"))
    clock.advance(30)
    assert seen == [("first", 10), ("from the first", 15), ("second", 20)]
    assert round(clock.now_s - begin_s) == 30
    clock.stop()
    clock.advance(100)
    assert len(seen) == 3

"""The queue plays at 8 kHz, echoes marks after playing, and detects underruns and clipped ends."""

from __future__ import annotations

import numpy as np

from voiceapp.simulators import mulaw
from voiceapp.simulators.twilio.frames import SILENCE
from voiceapp.simulators.twilio.playout import ClippedEnd, PlayoutQueue, Underrun

LOUD = mulaw.encode((9000 * np.sin(np.arange(16_000) * 0.7)).astype("<i2").tobytes())


def run(playout: PlayoutQueue, frames: int, *, from_ms: int = 0) -> tuple[bytes, list[tuple[int, str]]]:
    """So many frames, and when each mark was due."""
    heard, echoed = b"", []
    for index in range(frames):
        now_ms = from_ms + index * 20
        heard += playout.next_frame(now_ms)
        echoed += [(now_ms, name) for name in playout.due_marks()]
    return heard, echoed


def test_audio_is_played_unchanged_for_any_chunk_size() -> None:
    playout = PlayoutQueue()
    for start in range(0, 1000, 37):
        playout.add(LOUD[start : min(start + 37, 1000)])
    heard, _ = run(playout, 8)
    assert heard == LOUD[:1000] + b"\xff" * 280


def test_a_mark_with_nothing_queued_is_due_at_once() -> None:
    playout = PlayoutQueue()
    playout.mark("now")
    assert playout.due_marks() == ["now"]


def test_a_mark_is_due_when_the_audio_before_it_has_been_played() -> None:
    playout = PlayoutQueue()
    playout.add(LOUD[:320])
    playout.mark("forty")
    playout.add(LOUD[:160])
    playout.mark("sixty")
    assert playout.due_marks() == []
    _, echoed = run(playout, 5)
    assert echoed == [(40, "forty"), (60, "sixty")]


def test_a_mark_during_the_last_frame_waits_for_its_end() -> None:
    playout = PlayoutQueue()
    playout.add(LOUD[:160])
    playout.next_frame(0)
    playout.mark("end")
    assert playout.due_marks() == []
    playout.next_frame(20)
    assert playout.due_marks() == ["end"]


def test_clear_stops_at_once_and_makes_pending_marks_due_in_order() -> None:
    playout = PlayoutQueue()
    playout.add(LOUD[:1600])
    playout.mark("a")
    playout.add(LOUD[:1600])
    playout.mark("b")
    playout.mark("c")
    playout.next_frame(0)
    playout.clear()
    assert playout.due_marks() == ["a", "b", "c"]
    assert playout.next_frame(20) == SILENCE
    assert playout.queued_ms == 0


def test_audio_after_a_clear_is_played_with_its_marks() -> None:
    playout = PlayoutQueue()
    playout.add(LOUD[:1600])
    playout.next_frame(0)
    playout.clear()
    playout.add(LOUD[:160])
    playout.mark("later")
    heard, echoed = run(playout, 3, from_ms=20)
    assert heard == LOUD[:160] + SILENCE * 2
    assert echoed == [(40, "later")]
    assert playout.underruns == []


def test_an_empty_queue_during_speech_is_an_underrun() -> None:
    playout = PlayoutQueue()
    playout.add(LOUD[:400])
    run(playout, 5)
    playout.add(LOUD[:800])
    run(playout, 6, from_ms=100)
    assert playout.underruns == [Underrun(50, 50)]


def test_a_pause_after_faded_speech_is_no_underrun() -> None:
    playout = PlayoutQueue()
    playout.add(LOUD[:320] + SILENCE)
    run(playout, 5)
    playout.add(LOUD[:320] + SILENCE)
    run(playout, 20, from_ms=100)
    playout.finish(500, is_closed_by_agent=True)
    assert (playout.underruns, playout.clipped_ends) == ([], [])


def test_queued_audio_lost_when_the_agent_closes_is_a_clipped_end() -> None:
    playout = PlayoutQueue()
    playout.add(LOUD[:1600])
    playout.next_frame(0)
    playout.finish(20, is_closed_by_agent=True)
    assert playout.clipped_ends == [ClippedEnd(20, 180)]


def test_queued_audio_lost_when_the_caller_hangs_up_is_no_clipped_end() -> None:
    playout = PlayoutQueue()
    playout.add(LOUD[:1600])
    playout.next_frame(0)
    playout.finish(20, is_closed_by_agent=False)
    assert playout.clipped_ends == []


def test_speech_that_stops_loud_is_a_clipped_end() -> None:
    playout = PlayoutQueue()
    playout.add(LOUD[:480])
    run(playout, 10)
    playout.finish(200, is_closed_by_agent=True)
    assert playout.clipped_ends == [ClippedEnd(60, 0)]


def test_an_interruption_is_no_clipped_end() -> None:
    playout = PlayoutQueue()
    playout.add(LOUD[:1600])
    playout.next_frame(0)
    playout.clear()
    run(playout, 10, from_ms=20)
    playout.finish(220, is_closed_by_agent=True)
    assert playout.clipped_ends == []

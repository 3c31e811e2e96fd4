"""The stream's clock: frames move it, gaps are filled, the tick carries on where frames stop."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telephony.bridge.core.stream_clock import LONGEST_GAP_MS, StreamClock


def test_frames_that_follow_each_other_leave_no_gap() -> None:
    clock = StreamClock()
    assert [clock.frame_arrived(ms, 20) for ms in (0, 20, 40)] == [0, 0, 0]
    assert clock.now_ms == clock.end_ms == 60


def test_the_first_frame_may_begin_anywhere() -> None:
    clock = StreamClock()
    assert clock.frame_arrived(160, 20) == 0
    assert clock.now_ms == 180


def test_a_gap_is_what_is_missing_between_two_frames() -> None:
    clock = StreamClock()
    clock.frame_arrived(0, 20)
    assert clock.frame_arrived(100, 20) == 80  # 20-100 never came
    assert clock.end_ms == 120


def test_less_than_a_frame_is_jitter() -> None:
    clock = StreamClock()
    clock.frame_arrived(0, 20)
    assert clock.frame_arrived(39, 20) == 0
    assert clock.end_ms == 59


def test_a_frame_without_timestamp_follows_the_last_one() -> None:
    clock = StreamClock()
    clock.frame_arrived(100, 20)
    assert clock.frame_arrived(None, 20) == 0
    assert clock.end_ms == 140


def test_timestamps_that_cannot_be_are_not_believed() -> None:
    clock = StreamClock()
    clock.frame_arrived(0, 20)
    for nonsense in (10**18, 5_001, -20):
        end_ms = clock.end_ms
        assert clock.frame_arrived(nonsense, 20) == 0
        assert clock.end_ms == end_ms + 20


def test_a_frame_that_is_repeated_or_late_moves_nothing() -> None:
    clock = StreamClock()
    clock.frame_arrived(100, 20)
    assert clock.frame_arrived(100, 20) == 0
    assert clock.frame_arrived(40, 20) == 0
    assert clock.end_ms == 120


def test_the_tick_says_nothing_while_frames_flow() -> None:
    clock = StreamClock()
    for ms in range(0, 1_000, 20):
        clock.frame_arrived(ms, 20)
        if ms % 100 == 80:
            assert clock.tick(ms + 20 + 37) == 0  # the shell's clock is 37 ms ahead
    assert clock.now_ms == 1_000


def test_when_frames_stop_time_goes_on_and_silence_stands_in_after_600_ms() -> None:
    clock = StreamClock()
    clock.frame_arrived(0, 20)
    clock.tick(50)  # 30 ms behind the shell
    missing = {ms: clock.tick(ms) for ms in range(150, 1_050, 100)}
    # At 650 the stream stands at 620, 600 after its last frame; from then on every tick fills its 100 ms.
    assert missing == {150: 0, 250: 0, 350: 0, 450: 0, 550: 0, 650: 600, 750: 100, 850: 100, 950: 100}
    assert clock.now_ms == clock.end_ms == 920


def test_frames_that_come_back_late_are_not_padded_again() -> None:
    clock = StreamClock()
    clock.frame_arrived(0, 20)
    clock.tick(20)
    assert clock.tick(820) == 800
    assert clock.frame_arrived(20, 20) == 0  # it was only late
    assert clock.end_ms == 820
    assert clock.frame_arrived(820, 20) == 0
    assert clock.end_ms == 840


def test_before_any_frame_the_tick_adds_no_silence() -> None:
    clock = StreamClock()
    assert clock.tick(5_000) == 0
    assert clock.now_ms == 5_000


@given(st.lists(st.one_of(st.integers(-(10**20), 10**20), st.none(), st.integers(0, 400).map(lambda n: n * 50))))
def test_time_never_goes_back_and_no_gap_is_without_bound(stamps: list[int | None]) -> None:
    clock = StreamClock()
    for number, stamp in enumerate(stamps):
        before = (clock.now_ms, clock.end_ms)
        missing = clock.frame_arrived(stamp, 20) if number % 3 else clock.tick(number * 100)
        assert 0 <= missing <= LONGEST_GAP_MS
        assert clock.now_ms >= before[0]
        assert clock.end_ms >= before[1]

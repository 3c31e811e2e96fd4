"""The ledger alone: framing, window, marks, and invariants."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.bridge.core.agent_item import AgentItem
from telephony.bridge.core.playout import MOST_WAITING, Playout
from telephony.bridge.core.stream_clock import StreamClock


class Line:
    def __init__(self) -> None:
        self.sent: list[bytes | str] = []

    def play(self, payload: str) -> None:
        self.sent.append(b64decode(payload, validate=True))

    def mark(self, name: str) -> None:
        self.sent.append(name)

    def clear(self) -> None:
        self.sent.append("clear")

    @property
    def sizes(self) -> list[int]:
        return [len(entry) for entry in self.sent if isinstance(entry, bytes)]

    @property
    def marks(self) -> list[str]:
        return [entry for entry in self.sent if isinstance(entry, str) and entry != "clear"]


def ulaw(ms: float, byte: int = 1) -> str:
    return b64encode(bytes([byte]) * int(ms * 8)).decode()


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def clock() -> StreamClock:
    return StreamClock()


@pytest.fixture
def playout(line: Line, clock: StreamClock) -> Playout:
    return Playout(line, clock)


def test_the_first_frame_goes_alone_with_its_mark(playout: Playout, line: Line) -> None:
    playout.add(AgentItem("A"), ulaw(400))
    # 20 ms and its mark; then 200 ms and 180 ms, each with a mark, being 100 ms or more after the last.
    assert line.sizes == [160, 1_600, 1_440]
    assert [isinstance(entry, str) for entry in line.sent] == [False, True, False, True, False, True]


def test_small_deltas_are_marked_every_100_ms(playout: Playout, line: Line) -> None:
    item = AgentItem("A")
    for _ in range(11):
        playout.add(item, ulaw(20))
    # Marks after frame 1, then after 5 more, then after 5 more.
    assert [index for index, entry in enumerate(line.sent) if isinstance(entry, str)] == [1, 7, 13]


def test_whole_frames_pass_uncut(playout: Playout, line: Line) -> None:
    item = AgentItem("A")
    playout.add(item, ulaw(20))
    playout.add(item, ulaw(400))
    assert line.sizes == [160, 3_200]


def test_a_remainder_is_carried_into_the_next_delta_and_padded_at_the_end(playout: Playout, line: Line) -> None:
    item = AgentItem("A")
    playout.add(item, ulaw(25, 1))  # 200 bytes: one frame goes, 40 wait
    assert line.sizes == [160]
    playout.add(item, ulaw(20, 2))  # 40 + 160: one frame goes, 40 wait
    assert line.sizes == [160, 160]
    playout.complete(item)
    audio = b"".join(entry for entry in line.sent if isinstance(entry, bytes))
    assert audio == b"\x01" * 200 + b"\x02" * 160 + b"\xff" * 120


def test_padding_does_not_count_as_speech(playout: Playout, line: Line, clock: StreamClock) -> None:
    item = AgentItem("A")
    playout.add(item, ulaw(5))  # 40 bytes, sent as one frame of 160
    playout.complete(item)
    clock.frame_arrived(0, 20)
    [cut] = playout.interrupt()
    assert (cut.heard_ms, cut.received_ms, cut.is_missing_something) == (5, 5, False)


def test_a_remainder_of_an_item_is_sent_before_the_next_item(playout: Playout, line: Line) -> None:
    playout.add(AgentItem("A"), ulaw(25, 1))
    playout.add(AgentItem("B"), ulaw(20, 2))
    audio = b"".join(entry for entry in line.sent if isinstance(entry, bytes))
    assert audio == b"\x01" * 200 + b"\xff" * 120 + b"\x02" * 160


def test_no_more_than_the_window_is_sent_ahead(playout: Playout, line: Line) -> None:
    playout.add(AgentItem("A"), ulaw(5_000))
    assert sum(line.sizes) == 800 * 8
    playout.echoed(line.marks[0])  # 20 ms were heard: 20 ms more may go
    assert sum(line.sizes) == 820 * 8
    for mark in line.marks[1:3]:
        playout.echoed(mark)
    assert sum(line.sizes) == (800 + 420) * 8


def test_the_window_holds_for_audio_that_passes_uncut(playout: Playout, line: Line) -> None:
    item = AgentItem("A")
    for ms in (20, 400, 400):
        playout.add(item, ulaw(ms))
    assert line.sizes == [160, 3_200, 1_600, 1_440]  # 420 ms, then only 380 of the next 400


def test_an_item_that_was_heard_before_it_was_known_to_be_complete_is_done(playout: Playout, line: Line) -> None:
    item = AgentItem("A")
    playout.add(item, ulaw(20))
    playout.echoed(line.marks[0])
    playout.complete(item)
    assert playout.interrupt() == []


def test_an_echo_of_a_later_mark_confirms_the_earlier_ones(playout: Playout, line: Line) -> None:
    playout.add(AgentItem("A"), ulaw(400))
    assert playout.echoed(line.marks[2])
    assert playout.is_idle
    assert not playout.echoed(line.marks[1])


def test_a_done_item_ends_with_a_mark(playout: Playout, line: Line) -> None:
    item = AgentItem("A")
    playout.add(item, ulaw(20))
    playout.add(item, ulaw(40))
    assert len(line.marks) == 1
    playout.complete(item)
    assert isinstance(line.sent[-1], str)
    playout.echoed(line.marks[-1])
    assert playout.is_idle
    assert playout.interrupt() == []


def test_completing_an_item_without_audio_does_nothing(playout: Playout, line: Line) -> None:
    playout.complete(AgentItem("A"))
    playout.finish()
    assert line.sent == []


def test_audio_after_the_end_of_its_item_is_played_after_what_came_meanwhile(playout: Playout, line: Line) -> None:
    first, second = AgentItem("A"), AgentItem("B")
    playout.add(first, ulaw(20, 1))
    playout.complete(first)
    playout.add(second, ulaw(20, 2))
    playout.add(first, ulaw(20, 3))
    assert [entry[0] for entry in line.sent if isinstance(entry, bytes)] == [1, 2, 3]


def test_lost_echoes_do_not_stop_the_speech(playout: Playout, line: Line, clock: StreamClock) -> None:
    playout.add(AgentItem("A"), ulaw(2_000))
    for ms in range(0, 1_000, 100):
        clock.tick(ms)
        playout.tick()
    # At 900 ms the clock expects 900 ms to be played; all but 300 of it is trusted: 600 + 800 ms have been sent.
    assert sum(line.sizes) == 1_400 * 8


def test_what_was_surely_heard_counts_as_heard_when_its_echoes_are_lost(
    playout: Playout, line: Line, clock: StreamClock
) -> None:
    item = AgentItem("A")
    playout.add(item, ulaw(400))
    playout.complete(item)
    clock.tick(1_300)
    assert not playout.tick()
    clock.tick(1_400)  # 1 s after its end
    assert playout.tick()
    assert playout.is_idle
    assert playout.lost_echoes == 3
    assert not playout.echoed(line.marks[0])


def test_a_tick_is_idle_while_nothing_is_out(playout: Playout) -> None:
    assert not playout.tick()


def test_a_provider_that_never_stops_is_not_kept_without_bound(playout: Playout) -> None:
    item = AgentItem("A")
    for _ in range(1 + MOST_WAITING // 80_000):
        playout.add(item, ulaw(10_000))
    assert playout.received_bytes <= MOST_WAITING + 6_400
    assert playout.overflow_bytes > 0


@pytest.mark.parametrize("payload", ["", "*", "AAAA====", "é" * 216, "A" * 215])
def test_what_is_not_base64_is_refused_or_empty(playout: Playout, line: Line, payload: str) -> None:
    item = AgentItem("A")
    playout.add(item, ulaw(20))
    try:
        playout.add(item, payload)
    except ValueError:
        assert payload
    assert line.sizes == [160]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 3), st.integers(1, 5_000)),
        st.tuples(st.just("complete"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("echo"), st.integers(0, 200), st.just(0)),
        st.tuples(st.just("time"), st.integers(1, 60), st.just(0)),
        st.tuples(st.just("tick"), st.integers(0, 2_000), st.just(0)),
        st.tuples(st.just("interrupt"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(steps)
def test_whatever_happens_nothing_is_lost_doubled_or_heard_before_it_was_sent(
    history: list[tuple[str, int, int]],
) -> None:
    line, clock = Line(), StreamClock()
    playout = Playout(line, clock)
    items = [AgentItem(str(number)) for number in range(4)]
    given_ms = dict.fromkeys(items, 0)
    old_marks: set[str] = set()
    wall_ms = 0
    for what, number, size in history:
        match what:
            case "add":
                if not items[number].is_dropped:
                    playout.add(items[number], b64encode(bytes([number]) * size).decode())
                    given_ms[items[number]] += size
            case "complete":
                playout.complete(items[number])
            case "echo" if line.marks:
                name = line.marks[number % len(line.marks)]
                before = playout.confirmed_bytes
                assert not (playout.echoed(name) and name in old_marks)
                assert playout.confirmed_bytes >= before
            case "time":
                for _ in range(number):
                    clock.frame_arrived(clock.end_ms, 20)
            case "tick":
                wall_ms += number
                clock.tick(wall_ms)
                playout.tick()
            case "interrupt":
                for cut in playout.interrupt():
                    assert 0 <= cut.heard_ms <= cut.received_ms <= given_ms[cut.item] / 8
                    cut.item.is_dropped = True
                old_marks.update(line.marks)
                assert playout.is_idle
                assert playout.outstanding_ms == 0
        assert playout.confirmed_bytes <= sum(line.sizes)
        assert playout.received_bytes >= sum(line.sizes)
        assert len(set(line.marks)) == len(line.marks)
    assert all(length % 160 == 0 for length in line.sizes)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4_000)), min_size=1, max_size=20))
def test_the_phone_hears_every_byte_once_and_in_order(deltas: list[tuple[int, int]]) -> None:
    line = Line()
    playout = Playout(line, StreamClock())
    items = [AgentItem(str(number)) for number in range(3)]
    expected = bytearray()
    for count, (number, size) in enumerate(deltas):
        audio = bytes([count % 250]) * size
        playout.add(items[number], b64encode(audio).decode())
        expected += audio
    playout.finish()
    done = 0
    while done < len(line.marks):
        playout.echoed(line.marks[done])
        done += 1
    assert playout.is_idle
    heard = b"".join(entry for entry in line.sent if isinstance(entry, bytes))
    assert heard.replace(b"\xff", b"") == bytes(expected)

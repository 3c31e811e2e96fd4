"""Where the agent's audio is placed, beside a phone that plays it: from the facts of a file, without a line."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest

from recordings.spool.blocks import Block, Frames, Heard
from recordings.spool.placing import Placed, placed
from recordings.spool.sent import Sent

FRAME_MS = 20
SOUND = b64encode(b"\x55" * 160).decode()
# A frame of the phone's.
EXACT_MS = 20


def frames(count: int) -> Frames:
    return Frames(SOUND * count, [len(SOUND)] * count)


def chunks(sizes_ms: Sequence[int]) -> Frames:
    texts = [b64encode(b"\x55" * (8 * ms)).decode() for ms in sizes_ms]
    return Frames("".join(texts), [*map(len, texts)])


def played_at_ms(sizes_ms: Sequence[int], come_ms: Sequence[int], *, from_ms: int = 0) -> list[int]:
    """A phone begins a frame every 20 ms, with what has come by then."""
    starts, free_ms = [], from_ms
    for size, comes in zip(sizes_ms, come_ms, strict=True):
        starts.append(max(free_ms, -(-comes // FRAME_MS) * FRAME_MS))
        free_ms = starts[-1] + size
    return starts


def echoes_of(
    sizes_ms: Sequence[int], starts: Sequence[int], marks: Sequence[int]
) -> list[tuple[int, int, int, int, int]]:
    """Each mark is after so many chunks."""
    ends = [starts[chunk - 1] + sizes_ms[chunk - 1] for chunk in marks]
    return [(Heard.ECHOED, chunk, end, end, 0) for chunk, end in zip(marks, ends, strict=True)]


def place(
    sizes_ms: Sequence[int],
    sent_ms: Sequence[int],
    heard: Sequence[tuple[int, int, int, int, int]],
    *,
    own_ms: Sequence[int] | None = None,
    caller: Sequence[tuple[int, int]] = ((0, 500),),
) -> Placed:
    """`caller`: where stretches of frames begin, in ms, and how many each has."""
    sent = Sent()
    lanes = [(begin_ms * 8, frames(count)) for begin_ms, count in caller]
    own = [*(sent_ms if own_ms is None else own_ms)]
    sent.add(Block(lanes, 0, chunks(sizes_ms), [*sent_ms], own, [*heard]))
    return placed(sent)


def wrong_by_ms(found: Placed, starts: Sequence[int]) -> int:
    return max(abs(at // 8 - true) for at, true in zip(found.starts, starts, strict=True))


def test_several_pauses_between_two_echoes_are_each_in_their_place() -> None:
    sizes = [20] * 12
    sent = [100, 160, 165, 170, 175, 300, 305, 420, 425, 430, 435, 440]
    starts = played_at_ms(sizes, [at + 60 for at in sent])
    assert [after - before - 20 for before, after in pairwise(starts)] == [
        40, 0, 0, 0, 60, 0, 80, 0, 0, 0, 0,
    ]  # fmt: skip
    found = place(sizes, sent, echoes_of(sizes, starts, [1, 11, 12]))
    assert wrong_by_ms(found, starts) <= EXACT_MS


@pytest.mark.parametrize("seed", range(20))
def test_a_line_that_runs_dry_again_and_again(seed: int) -> None:
    """A provider that sends in real time, and a loop that is late now and then. An echo each 100 ms."""
    dice = Random(seed)
    under_way, at = dice.randrange(5, 150), 1_000
    sizes: list[int] = []
    sent: list[int] = []
    while len(sizes) < 120:
        sizes.append(dice.choice((20, 20, 40, 60)))
        at += sizes[-1] if dice.random() < 0.8 else sizes[-1] + dice.randrange(200)
        sent.append(at)
    starts = played_at_ms(sizes, [each + under_way for each in sent])
    marks = [1, *range(4, 120, dice.choice((3, 4, 5))), 120]
    found = place(sizes, sent, echoes_of(sizes, starts, marks))
    assert wrong_by_ms(found, starts) <= EXACT_MS


def test_the_clock_of_the_stream_may_stand_while_audio_is_sent() -> None:
    """For 300 ms no frame of the caller's was read: what was sent then is stamped as if at once. Ours went on."""
    sizes = [20] * 20
    own = [1_000 + 20 * number for number in range(5)] + [1_380 + 20 * number for number in range(15)]
    standing = [min(at, 1_080) if at < 1_480 else at for at in own]
    starts = played_at_ms(sizes, [at + 30 for at in own])
    echoes = echoes_of(sizes, starts, [1, 8, 13, 20])
    assert wrong_by_ms(place(sizes, standing, echoes, own_ms=[at + 77_000 for at in own]), starts) <= EXACT_MS
    assert wrong_by_ms(place(sizes, standing, echoes), starts) > EXACT_MS, "the stream's clock alone does not tell"


def test_two_clocks_may_part_by_a_second_in_a_long_call() -> None:
    sizes = [20] * 400
    sent = [1_000 + 3_000 * number for number in range(400)]
    own = [round(at * 1.0001) + 5_000 for at in sent]
    starts = played_at_ms(sizes, [at + 30 for at in sent])
    found = place(sizes, sent, echoes_of(sizes, starts, range(1, 401)), own_ms=own)
    assert wrong_by_ms(found, starts) <= EXACT_MS


def test_an_echo_that_waited_among_the_callers_frames_counts_from_its_place_there() -> None:
    """Our clock had gone on by 130 ms when the frames and echoes came at once: the pause is after the echo."""
    sizes = [20] * 10
    sent = [100] * 5 + [400] * 5
    starts = played_at_ms(sizes, [at + 20 for at in sent])
    first, second = echoes_of(sizes, starts, [5, 10])
    late = (Heard.ECHOED, 5, first[2], first[2] + 130, 0)
    assert wrong_by_ms(place(sizes, sent, [late, second]), starts) <= EXACT_MS


def test_an_echo_in_a_gap_of_the_callers_frames_is_before_the_next_one() -> None:
    sizes = [20] * 10
    sent = [100] * 10
    starts = played_at_ms(sizes, [at + 20 for at in sent])
    [(what, chunk, ms, *_)] = echoes_of(sizes, starts, [10])
    before, after = (0, 10), (ms, 50)
    echo = (what, chunk, 200, ms + 40, 0)  # frames of 120 ms were lost; read with the first one after them
    assert wrong_by_ms(place(sizes, sent, [echo], caller=[before, after]), starts) <= EXACT_MS


def test_an_echo_of_a_mark_that_was_sent_long_after_its_audio_is_no_sign_of_a_pause() -> None:
    """The end of the speech was not reported: 500 ms after all was played, its last chunks get a mark."""
    sizes, sent = [20] * 12, [100] * 8 + [1_500] * 4
    starts = played_at_ms(sizes, [at + 60 for at in sent])
    first, second, third, last = echoes_of(sizes, starts, [1, 6, 9, 12])
    late = (Heard.ECHOED, 8, 860, 860, 700)
    assert wrong_by_ms(place(sizes, sent, [first, second, late, third, last]), starts) <= EXACT_MS


@pytest.mark.parametrize("is_noticed", [True, False])
def test_what_a_clear_leaves_is_cut_when_it_arrives(is_noticed: bool) -> None:
    """The phone echoes the mark of what it drops. What has no mark yet is dropped as long after the clear was sent as
    the audio was under way."""
    sizes, sent = [20] * 10, [100] * 10
    starts = played_at_ms(sizes, [at + 60 for at in sent])
    echoes = echoes_of(sizes, starts, [1, 5])
    cleared_ms = starts[6]
    heard = [*echoes, (Heard.CLEARED, 10, cleared_ms - 60, cleared_ms - 60, 0)]
    if is_noticed:
        heard.append((Heard.ECHOED, 10, cleared_ms, cleared_ms, 0))
    found = place(sizes, sent, heard)
    assert wrong_by_ms(found, starts) <= EXACT_MS
    assert sum(found.sizes) // 8 == pytest.approx(6 * 20, abs=EXACT_MS)


def test_an_echo_that_was_on_its_way_when_the_clear_was_sent_says_what_was_heard() -> None:
    sizes, sent = [20] * 8, [100] * 8
    starts = played_at_ms(sizes, [at + 60 for at in sent])
    first, second = echoes_of(sizes, starts, [1, 8])
    heard = [first, (Heard.CLEARED, 8, second[2] - 100, second[2] - 100, 0), second]
    assert sum(place(sizes, sent, heard).sizes) // 8 == 8 * 20


def test_what_comes_after_a_clear_begins_after_it() -> None:
    sizes, sent = [20] * 4, [100, 100, 150, 150]
    heard = [
        (Heard.ECHOED, 1, 120, 120, 0),
        (Heard.CLEARED, 2, 130, 130, 0),
        (Heard.ECHOED, 2, 135, 135, 0),
        (Heard.ECHOED, 3, 220, 220, 0),
    ]
    found = place(sizes, sent, heard)
    assert [at // 8 for at in found.starts] == [100, 120, 200, 220]
    assert [size // 8 for size in found.sizes] == [20, 15, 20, 20]

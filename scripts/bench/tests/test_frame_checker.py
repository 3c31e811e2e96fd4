"""The checker of the load: every way in which frames can go wrong is seen, and a flawless stream is not blamed."""

from binascii import a2b_base64, b2a_base64

from frames import FRAME_BYTES, Faults, FrameChecker, make_frame, read_frame, split_audio


def faults_of(arrived: list[bytes], *, sent: int) -> Faults:
    checker = FrameChecker(7)
    for payload in arrived:
        checker.check(payload)
    return checker.faults(sent)


def speech(frames: int, *, call: int = 7) -> list[bytes]:
    return [make_frame(call, sequence) for sequence in range(frames)]


def test_a_frame_is_twenty_milliseconds_and_names_its_call_and_place() -> None:
    frame = make_frame(7, 41)
    assert len(a2b_base64(frame)) == FRAME_BYTES
    assert read_frame(frame) == (7, 41)


def test_no_two_frames_are_equal() -> None:
    frames = {make_frame(call, sequence) for call in range(20) for sequence in range(100)}
    assert len(frames) == 2000


def test_a_flawless_stream_has_no_faults() -> None:
    checker = FrameChecker(7)
    assert [checker.check(payload) for payload in speech(100)] == list(range(100))
    assert checker.faults(100) == Faults()
    assert checker.received == 100


def test_a_frame_lost_on_the_way_is_counted() -> None:
    arrived = speech(100)
    del arrived[50]
    assert faults_of(arrived, sent=100) == Faults(lost=1)


def test_frames_lost_at_the_end_are_counted() -> None:
    assert faults_of(speech(97), sent=100) == Faults(lost=3)


def test_a_call_that_never_arrives_loses_every_frame() -> None:
    assert faults_of([], sent=100) == Faults(lost=100)


def test_a_swapped_pair_is_reordered_and_not_lost() -> None:
    arrived = speech(100)
    arrived[50], arrived[51] = arrived[51], arrived[50]
    assert faults_of(arrived, sent=100) == Faults(reordered=1)


def test_a_frame_that_comes_twice_is_duplicated() -> None:
    arrived = speech(100)
    arrived.insert(60, arrived[50])
    assert faults_of(arrived, sent=100) == Faults(duplicated=1)


def test_a_foreign_frame_is_cross_talk() -> None:
    arrived = speech(100)
    arrived.insert(50, make_frame(8, 50))
    assert faults_of(arrived, sent=100) == Faults(cross_talk=1)


def test_a_foreign_frame_in_place_of_ones_own_is_cross_talk_and_a_loss() -> None:
    arrived = speech(100)
    arrived[50] = make_frame(8, 50)
    assert faults_of(arrived, sent=100) == Faults(lost=1, cross_talk=1)


def test_one_changed_byte_is_corruption_wherever_it_is() -> None:
    for at in (0, 3, 6, 15, 16, 100, 212):
        arrived = speech(10)
        letter = b"A" if arrived[5][at : at + 1] != b"A" else b"B"
        arrived[5] = arrived[5][:at] + letter + arrived[5][at + 1 :]
        assert faults_of(arrived, sent=10) == Faults(lost=1, corrupt=1)


def test_the_tail_of_another_frame_is_corruption() -> None:
    arrived = speech(10)
    arrived[5] = arrived[5][:16] + arrived[6][16:]
    assert faults_of(arrived, sent=10) == Faults(lost=1, corrupt=1)


def test_garbage_and_silence_are_corruption() -> None:
    for garbage in (b"", b"!", b"/" * 216, b"not base64 at all"):
        assert faults_of([garbage, *speech(3)], sent=3) == Faults(corrupt=1)


def test_frames_joined_on_the_way_are_separated_again() -> None:
    joined = b"".join(a2b_base64(frame) for frame in speech(3))
    assert split_audio(b2a_base64(joined, newline=False)) == speech(3)

"""The caller's audio reaches the agent whole, in order, on the stream's clock."""

from __future__ import annotations

from sessions.calls.facts import LineSpoken

from .stage import SILENT, Stage


def voice(byte: int) -> bytes:
    return bytes([byte]) * 160


def test_audio_passes_through_byte_for_byte() -> None:
    stage = Stage()
    for number in range(5):
        stage.frame(number * 20, bytes(range(number, number + 160)))
    stage.flush()
    assert stage.caller_audio == b"".join(bytes(range(number, number + 160)) for number in range(5))


def test_a_frame_of_any_size_passes() -> None:
    stage = Stage()
    stage.frame(0, b"\x01" * 80)
    stage.frame(10, b"\x02" * 1_600)
    stage.flush()
    assert stage.caller_audio == b"\x01" * 80 + b"\x02" * 1_600


def test_a_gap_in_the_input_is_padded_with_silence() -> None:
    stage = Stage()
    stage.frame(0, voice(1))
    stage.frame(100, voice(2))  # four frames of 20 ms are missing
    stage.flush()
    assert stage.caller_audio == voice(1) + SILENT * 4 + voice(2)


def test_a_caller_whose_phone_stops_sending_is_silent_to_the_agent() -> None:
    stage = Stage()
    stage.listen(1_000)
    stage.listen(2_000, frames=False)
    assert len(stage.caller_audio) == 3_000 * 8


def test_frames_without_timestamp_are_taken_as_they_come() -> None:
    stage = Stage()
    for number in range(3):
        stage.frame(None, voice(number))
    stage.flush()
    assert stage.caller_audio == voice(0) + voice(1) + voice(2)


def test_audio_before_the_session_is_ready_is_kept_and_sent_after_the_greeting_is_requested() -> None:
    stage = Stage(opened=False)
    stage.frame(0, voice(7))
    stage.open()
    assert stage.caller_audio == voice(7)


def test_no_more_than_the_last_two_seconds_are_kept() -> None:
    stage = Stage(opened=False)
    for number in range(150):  # 3 s
        stage.frame(number * 20, voice(number))
    stage.open()
    assert stage.caller_audio == b"".join(voice(number) for number in range(50, 150))


def test_the_agents_clock_is_mapped_to_the_streams() -> None:
    # The stream stands at 160 when its first frame comes; the provider's session counts from that frame.
    stage = Stage()
    for ms in range(160, 2_160, 20):
        stage.frame(ms)
    stage.flush()
    stage.agent("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=500)
    stage.transcribe("u1", "Hello")
    [line] = stage.facts_of(LineSpoken)
    assert line.spoken_at_ms == 660


def test_after_a_reconnect_the_agents_clock_has_a_new_offset() -> None:
    stage = Stage()
    stage.listen(5_000)
    stage.lose_link()
    stage.listen(1_000)
    stage.caller_audio = b""
    stage.open()  # hears the 1,000 ms that were kept: its 0 is the stream's 5,000
    stage.listen(2_000)
    stage.agent("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=2_500)
    stage.transcribe("u1", "Hello")
    [line] = stage.facts_of(LineSpoken)
    assert line.spoken_at_ms == 7_500


def test_a_time_that_cannot_be_is_held_within_the_call() -> None:
    stage = Stage()
    stage.listen(1_000)
    for number, ms in enumerate((-5, 10**12)):
        stage.agent("input_audio_buffer.speech_started", item_id=f"u{number}", audio_start_ms=ms)
        stage.transcribe(f"u{number}", "Hello")
    assert [line.spoken_at_ms for line in stage.facts_of(LineSpoken)] == [0, 1_000]

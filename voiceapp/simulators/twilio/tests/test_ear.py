"""The ear hears when speech began and ended, by energy alone."""

from __future__ import annotations

from voiceapp.simulators.twilio.ear import Ear
from voiceapp.simulators.twilio.frames import SILENCE, level
from voiceapp.simulators.twilio.mouth import Mouth, noise_frames, voice

LOUD = b"\x10" * 160


def heard(pattern: str) -> Ear:
    """`x` a voiced frame, `.` a silent one."""
    ear = Ear()
    for sign in pattern:
        ear.hear(LOUD if sign == "x" else SILENCE)
    return ear


def test_speech_spans_its_first_to_its_last_voiced_frame() -> None:
    (utterance,) = heard("...xx.x....").utterances
    assert (utterance.began_ms, utterance.ended_ms) == (60, 140)


def test_a_pause_of_up_to_240_ms_does_not_end_an_utterance() -> None:
    assert len(heard("xx" + "." * 12 + "xx").utterances) == 1
    assert len(heard("xx" + "." * 13 + "xx").utterances) == 2


def test_a_click_is_no_speech() -> None:
    ear = heard("..x" + "." * 20)
    assert (ear.utterances, ear.silent_ms) == ([], 460)


def test_silence_is_counted_from_the_last_voiced_frame() -> None:
    assert heard("xxxx" + "." * 15).silent_ms == 300


def test_comfort_noise_is_heard_as_silence_and_speech_as_speech() -> None:
    assert max(level(frame) for frame in noise_frames()) < 40
    assert any(frame != SILENCE for frame in noise_frames())
    ear, mouth = Ear(), Mouth()
    spoken = mouth.say(voice("One pizza, please."))
    for _ in range(spoken.frames + 50):
        ear.hear(mouth.next_frame())
    utterances = ear.utterances
    assert spoken.began_ms == utterances[0].began_ms
    assert spoken.ended_ms == utterances[-1].ended_ms

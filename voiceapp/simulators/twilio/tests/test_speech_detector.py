"""The start and the end of speech are detected by energy alone."""

from __future__ import annotations

from voiceapp.simulators.twilio.caller_voice import CallerVoice, noise_frames, synthesize
from voiceapp.simulators.twilio.frames import SILENCE, level
from voiceapp.simulators.twilio.speech_detector import SpeechDetector

LOUD = b"\x10" * 160


def processed(pattern: str) -> SpeechDetector:
    """`x` a voiced frame, `.` a silent one."""
    detector = SpeechDetector()
    for character in pattern:
        detector.process(LOUD if character == "x" else SILENCE)
    return detector


def test_speech_spans_its_first_to_its_last_voiced_frame() -> None:
    (utterance,) = processed("...xx.x....").utterances
    assert (utterance.began_ms, utterance.ended_ms) == (60, 140)


def test_a_pause_of_up_to_240_ms_does_not_end_an_utterance() -> None:
    assert len(processed("xx" + "." * 12 + "xx").utterances) == 1
    assert len(processed("xx" + "." * 13 + "xx").utterances) == 2


def test_a_click_is_no_speech() -> None:
    detector = processed("..x" + "." * 20)
    assert (detector.utterances, detector.silent_ms) == ([], 460)


def test_silence_is_counted_from_the_last_voiced_frame() -> None:
    assert processed("xxxx" + "." * 15).silent_ms == 300


def test_comfort_noise_is_detected_as_silence_and_speech_as_speech() -> None:
    assert max(level(frame) for frame in noise_frames()) < 40
    assert any(frame != SILENCE for frame in noise_frames())
    detector, voice = SpeechDetector(), CallerVoice()
    spoken = voice.say(synthesize("One pizza, please."))
    for _ in range(spoken.frames + 50):
        detector.process(voice.next_frame())
    utterances = detector.utterances
    assert spoken.began_ms == utterances[0].began_ms
    assert spoken.ended_ms == utterances[-1].ended_ms

"""The synthesizer: speech at telephone rate, from several threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from voiceapp.simulators import speech


def test_a_sentence_is_speech_of_a_likely_length_and_loudness() -> None:
    pcm = np.frombuffer(speech.say("Two large margheritas, please."), dtype="<i2").astype(float)
    assert 1.2 < len(pcm) / 8000 < 3.5
    assert 1000 < np.sqrt((pcm**2).mean()) < 12000


def test_a_slower_voice_takes_longer() -> None:
    assert len(speech.say("one two three four", words_per_minute=100)) > 1.3 * len(
        speech.say("one two three four", words_per_minute=200)
    )


def test_two_voices_differ() -> None:
    assert speech.say("hello", voice="en-us+f3") != speech.say("hello", voice="en-us+m3")


def test_an_unknown_voice_is_rejected() -> None:
    with pytest.raises(ValueError, match="no voice"):
        speech.say("hello", voice="xx-nobody")


def test_an_empty_text_has_no_audio() -> None:
    assert speech.say("") == b""


def test_threads_do_not_mix_their_audio() -> None:
    alone = {n: len(speech.say("number " * n)) for n in range(1, 6)}
    with ThreadPoolExecutor(5) as pool:
        together = list(pool.map(lambda n: (n, len(speech.say("number " * n))), list(range(1, 6)) * 6))
    assert all(abs(length - alone[n]) < 0.1 * alone[n] for n, length in together)


def test_phonemes_are_ipa_one_by_one() -> None:
    assert speech.phonemes("tiramisu").replace("ˈ", "").replace("ˌ", "").split() == [*list("tɪɹæmɪsu")[:7], "uː"]


def test_nothing_above_the_telephone_band_is_left() -> None:
    pcm = np.frombuffer(speech.say("six sisters say yes"), dtype="<i2").astype(float)
    power = np.abs(np.fft.rfft(pcm)) ** 2
    frequency = np.fft.rfftfreq(len(pcm), 1 / 8000)
    assert power[frequency > 3950].sum() < 1e-4 * power.sum()

"""Hears a sentence in the telephone's sound, with the menu in mind: pocketsphinx over a graph of words."""

from __future__ import annotations

import tempfile
import threading
from functools import lru_cache

import numpy as np
from pocketsphinx import Config, Decoder, get_model_path

from voiceapp.local.openai.menu import Menu
from voiceapp.local.openai.menu_names import Lexicon, lexicon_of
from voiceapp.local.openai.pronunciation import pronunciations
from voiceapp.local.openai.word_graph import END, START, WordGraph

# Of 32768: the empty half of the band, and digital silence, are nothing that the acoustic model was trained on.
NOISE_LEVEL = 120.0
EDGE_MS = 150
PIECE_BYTES = 1600  # the decoder keeps the interpreter to itself for one piece: 50 ms of sound


class _Loudness:
    """The cepstral mean of a whole sentence, which a decoder fed piece by piece cannot know: a few milliseconds."""

    def __init__(self) -> None:
        self._decoder = Decoder(
            Config(
                hmm=get_model_path("en-us/en-us"), dict=None, lm=None, samprate=16000.0, cmn="batch",
                beam=1e-5, wbeam=1e-5, pbeam=1e-5, loglevel="FATAL",
            )
        )  # fmt: skip
        self._decoder.add_word("a", "AH", True)
        self._decoder.add_fsg("any", self._decoder.create_fsg("any", START, END, [(START, END, 1.0, "a")]))
        self._decoder.activate_search("any")

    def of(self, audio: bytes) -> str:
        self._decoder.start_utt()
        self._decoder.process_raw(audio, full_utt=True)
        self._decoder.end_utt()
        return str(self._decoder.get_cmn(False))


class Hearing:
    """One menu's decoder. Thread-safe: one sentence at a time."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lock = threading.Lock()
        self._loudness = _Loudness()
        graph = WordGraph(lexicon)
        with tempfile.NamedTemporaryFile("w", suffix=".dict") as dictionary:
            for word in sorted(graph.words):
                for number, phones in enumerate(pronunciations(word, as_written=lexicon.spelling.get(word)), start=1):
                    dictionary.write(f"{word}{f'({number})' if number > 1 else ''} {phones}\n")
            dictionary.flush()
            self._decoder = Decoder(
                Config(
                    hmm=get_model_path("en-us/en-us"), dict=dictionary.name, lm=None, samprate=16000.0,
                    lw=6.0, wip=0.6, beam=1e-50, wbeam=1e-32, pbeam=1e-50, maxhmmpf=20000, bestpath=False,
                    cmn="live", loglevel="FATAL",
                )
            )  # fmt: skip
        fsg = self._decoder.create_fsg("order", START, END, graph.arcs)
        self._decoder.add_fsg("order", fsg)
        self._decoder.activate_search("order")

    def hear(self, pcm_8k: bytes) -> str | None:
        """The likeliest sentence in small letters; None when nothing fits."""
        audio = upsampled(pcm_8k)
        with self._lock:
            self._decoder.set_cmn(self._loudness.of(audio))
            self._decoder.start_utt()
            for at in range(0, len(audio), PIECE_BYTES):
                self._decoder.process_raw(audio[at : at + PIECE_BYTES])
            self._decoder.end_utt()
            found = self._decoder.hyp()
        return found.hypstr if found is not None and found.hypstr else None


_making = threading.Lock()


def hearing_for(menu: Menu) -> Hearing:
    """The decoder of a menu, made once, also when the first two calls want it together."""
    with _making:
        return _made(menu)


@lru_cache(maxsize=8)
def _made(menu: Menu) -> Hearing:
    return Hearing(lexicon_of(menu))


def upsampled(pcm_8k: bytes) -> bytes:
    """8 kHz to the 16 kHz of the acoustic model, with faint noise and a little of it at both ends."""
    sound = np.frombuffer(pcm_8k, dtype="<i2").astype(np.float64)
    spectrum = np.fft.rfft(sound)
    wide = np.zeros(len(sound) + 1, dtype=complex)
    wide[: len(spectrum)] = spectrum
    doubled = np.fft.irfft(wide, 2 * len(sound)) * 2
    edge = np.zeros(EDGE_MS * 16)
    padded = np.concatenate([edge, doubled, edge])
    padded += np.random.default_rng(7).normal(0, NOISE_LEVEL, len(padded))
    return bytes(np.clip(padded, -32768, 32767).astype("<i2").tobytes())

"""Recognizes a sentence in telephone audio: pocketsphinx with an automaton of sentences, such as those of a menu."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache

from pocketsphinx import Config, Decoder, get_model_path

from voiceapp.simulators.model.agent.menu import PromptMenu
from voiceapp.simulators.model.recognition.grammar import Arc, arcs_with
from voiceapp.simulators.model.recognition.high_band import restored
from voiceapp.simulators.model.recognition.name_lists import NameLists, name_lists_of
from voiceapp.simulators.model.recognition.pronunciation import pronunciations
from voiceapp.simulators.model.spelling import plural

PADDING_MS = 150
CHUNK_BYTES = 1600  # 50 ms of audio: the decoder holds the interpreter lock for one chunk
_MAX_PRONUNCIATIONS = 8


class _CepstralMean:
    """The cepstral mean of a whole sentence, which a decoder fed in chunks cannot know. It takes milliseconds."""

    def __init__(self) -> None:
        self._decoder = Decoder(
            Config(
                hmm=get_model_path("en-us/en-us"), dict=None, lm=None, samprate=16000.0, cmn="batch",
                beam=1e-5, wbeam=1e-5, pbeam=1e-5, loglevel="FATAL",
            )
        )  # fmt: skip
        self._decoder.add_word("a", "AH", True)
        self._decoder.add_fsg("any", self._decoder.create_fsg("any", 0, 1, [(0, 1, 1.0, "a")]))
        self._decoder.activate_search("any")

    def of(self, audio: bytes) -> str:
        self._decoder.start_utt()
        self._decoder.process_raw(audio, full_utt=True)
        self._decoder.end_utt()
        return str(self._decoder.get_cmn(False))


class Recognizer:
    """The decoder of one grammar, given as arcs. Thread-safe: one sentence at a time."""

    def __init__(self, arcs: Sequence[Arc], pronounce: Callable[[str], Sequence[str]]) -> None:
        self._lock = threading.Lock()
        self._mean = _CepstralMean()
        self._decoder = Decoder(
            Config(
                hmm=get_model_path("en-us/en-us"), dict=None, lm=None, samprate=16000.0, loglevel="FATAL",
                beam=1e-60, pbeam=1e-60, wbeam=1e-40, bestpath=False, cmn="live",
            )
        )  # fmt: skip
        for word in sorted({arc[3] for arc in arcs if len(arc) == 4}):
            for number, phones in enumerate(pronounce(word.replace("_", " ")), start=1):
                self._decoder.add_word(word if number == 1 else f"{word}({number})", phones, False)
        self._decoder.add_word("end'of'words", "Z", True)  # the last word makes the decoder reload its dictionary
        end = max(arc[1] for arc in arcs)
        self._decoder.add_fsg("order", self._decoder.create_fsg("order", 0, end, list(arcs)))
        self._decoder.activate_search("order")

    def recognize(self, pcm_8k: bytes) -> str | None:
        """The most likely sentence in lower case; None if no sentence matches."""
        padding = bytes(PADDING_MS * 16)
        audio = restored(padding + pcm_8k + padding)
        with self._lock:
            self._decoder.set_cmn(self._mean.of(audio))
            self._decoder.start_utt()
            for at in range(0, len(audio), CHUNK_BYTES):
                self._decoder.process_raw(audio[at : at + CHUNK_BYTES])
            self._decoder.end_utt()
            found = self._decoder.hyp()
        return found.hypstr.replace("_", " ") if found is not None and found.hypstr else None


_build_lock = threading.Lock()


def recognizer_for(menu: PromptMenu) -> Recognizer:
    """The decoder of a menu, built once, even if the first two calls need it at the same time."""
    with _build_lock:
        return _build(menu)


@lru_cache(maxsize=8)
def _build(menu: PromptMenu) -> Recognizer:
    names = name_lists_of(menu)
    return Recognizer(arcs_with(names), lambda form: _pronunciations(form, names))


def _pronunciations(form: str, names: NameLists) -> list[str]:
    """Of each word the first and the last pronunciation. A counted name may be heard in the plural."""
    found: dict[str, None] = {}
    for spoken in [form, plural(form)] if form in names.counted else [form]:
        words = [pronunciations(word, as_written=names.spelling.get(word)) for word in spoken.split()]
        if len(words) > 1:
            words = [list(dict.fromkeys([phones[0], phones[-1]])) for phones in words if phones]
        for choice in itertools.islice(itertools.product(*words), _MAX_PRONUNCIATIONS):
            found[" ".join(choice)] = None
    return list(found)

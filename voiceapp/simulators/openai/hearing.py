"""Hears a sentence in the telephone's sound, with the menu in mind: pocketsphinx over an automaton of sentences."""

from __future__ import annotations

import itertools
import threading
from functools import lru_cache

from pocketsphinx import Config, Decoder, get_model_path

from voiceapp.simulators.openai.grammar import arcs_with
from voiceapp.simulators.openai.high_band import restored
from voiceapp.simulators.openai.menu import Menu
from voiceapp.simulators.openai.name_lists import NameLists, name_lists_of
from voiceapp.simulators.openai.pronunciation import pronunciations
from voiceapp.simulators.openai.wording import plural

EDGE_MS = 150
PIECE_BYTES = 1600  # the decoder keeps the interpreter to itself for one piece: 50 ms of sound
_MOST_WAYS_TO_SAY = 8


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
        self._decoder.add_fsg("any", self._decoder.create_fsg("any", 0, 1, [(0, 1, 1.0, "a")]))
        self._decoder.activate_search("any")

    def of(self, audio: bytes) -> str:
        self._decoder.start_utt()
        self._decoder.process_raw(audio, full_utt=True)
        self._decoder.end_utt()
        return str(self._decoder.get_cmn(False))


class Hearing:
    """One menu's decoder. Thread-safe: one sentence at a time."""

    def __init__(self, names: NameLists) -> None:
        self._lock = threading.Lock()
        self._loudness = _Loudness()
        self._decoder = Decoder(
            Config(
                hmm=get_model_path("en-us/en-us"), dict=None, lm=None, samprate=16000.0, loglevel="FATAL",
                beam=1e-60, pbeam=1e-60, wbeam=1e-40, bestpath=False, cmn="live",
            )
        )  # fmt: skip
        arcs = arcs_with(names)
        for word in sorted({arc[3] for arc in arcs if len(arc) == 4}):
            for number, phones in enumerate(_ways_to_say(word.replace("_", " "), names), start=1):
                self._decoder.add_word(word if number == 1 else f"{word}({number})", phones, False)
        self._decoder.add_word("end'of'words", "Z", True)  # the last one makes the decoder take all of them up
        end = max(arc[1] for arc in arcs)
        self._decoder.add_fsg("order", self._decoder.create_fsg("order", 0, end, arcs))
        self._decoder.activate_search("order")

    def hear(self, pcm_8k: bytes) -> str | None:
        """The likeliest sentence in small letters; None when nothing fits."""
        edge = bytes(EDGE_MS * 16)
        audio = restored(edge + pcm_8k + edge)
        with self._lock:
            self._decoder.set_cmn(self._loudness.of(audio))
            self._decoder.start_utt()
            for at in range(0, len(audio), PIECE_BYTES):
                self._decoder.process_raw(audio[at : at + PIECE_BYTES])
            self._decoder.end_utt()
            found = self._decoder.hyp()
        return found.hypstr.replace("_", " ") if found is not None and found.hypstr else None


_making = threading.Lock()


def hearing_for(menu: Menu) -> Hearing:
    """The decoder of a menu, made once, also when the first two calls want it together."""
    with _making:
        return _made(menu)


@lru_cache(maxsize=8)
def _made(menu: Menu) -> Hearing:
    return Hearing(name_lists_of(menu))


def _ways_to_say(form: str, names: NameLists) -> list[str]:
    """Of each word the first and the last way; what is counted may be heard in the plural, by the same name."""
    ways: dict[str, None] = {}
    for spoken in [form, plural(form)] if form in names.counted else [form]:
        words = [pronunciations(word, as_written=names.spelling.get(word)) for word in spoken.split()]
        if len(words) > 1:
            words = [list(dict.fromkeys([phones[0], phones[-1]])) for phones in words if phones]
        for choice in itertools.islice(itertools.product(*words), _MOST_WAYS_TO_SAY):
            ways[" ".join(choice)] = None
    return list(ways)

"""Pronunciations in the phonemes of the acoustic model: from CMU's dictionary, otherwise from espeak-ng."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path

from pocketsphinx import get_model_path

from voiceapp.simulators import speech

# espeak-ng's IPA for American English → ARPAbet without stress. The longest match wins.
_ARPABET = {
    "tʃ": "CH", "dʒ": "JH", "aɪɚ": "AY ER", "aɪə": "AY AH", "aʊɚ": "AW ER", "aɪ": "AY", "aʊ": "AW", "eɪ": "EY",
    "oʊ": "OW", "ɔɪ": "OY", "əl": "AH L", "n̩": "AH N", "l̩": "AH L", "m̩": "AH M", "ɑːɹ": "AA R", "ɔːɹ": "AO R",
    "ɛɹ": "EH R", "ɪɹ": "IH R", "ʊɹ": "UH R", "ɜː": "ER", "ɑː": "AA", "ɔː": "AO", "iː": "IY", "uː": "UW", "oː": "AO",
    "iə": "IY AH", "ɐ": "AH", "ə": "AH", "ʌ": "AH", "ɚ": "ER", "ɝ": "ER", "æ": "AE", "ɛ": "EH", "e": "EH", "ɪ": "IH",
    "i": "IY", "ʊ": "UH", "u": "UW", "ɑ": "AA", "ɒ": "AA", "ɔ": "AO", "o": "OW", "a": "AA", "ᵻ": "IH", "y": "UW",
    "p": "P", "b": "B", "t": "T", "d": "D", "k": "K", "ɡ": "G", "g": "G", "f": "F", "v": "V", "θ": "TH", "ð": "DH",
    "s": "S", "z": "Z", "ʃ": "SH", "ʒ": "ZH", "h": "HH", "m": "M", "n": "N", "ŋ": "NG", "l": "L", "ɫ": "L",
    "ɹ": "R", "r": "R", "j": "Y", "w": "W", "ɾ": "T", "ʔ": "T", "x": "K", "ç": "SH", "ɬ": "L", "ɲ": "N Y", "ʎ": "L Y",
}  # fmt: skip
_LONGEST = max(map(len, _ARPABET))
_VOICELESS = {"P", "T", "K", "F", "TH"}
_SIBILANTS = {"S", "Z", "SH", "ZH", "CH", "JH"}
_lock = threading.Lock()


@lru_cache(maxsize=1)
def _dictionary() -> dict[str, list[str]]:
    entries: dict[str, list[str]] = {}
    for line in Path(get_model_path("en-us/cmudict-en-us.dict")).read_text(encoding="utf-8").splitlines():
        word, _, phones = line.partition(" ")
        entries.setdefault(word.partition("(")[0], []).append(phones.strip())
    return entries


def load() -> None:
    """Read the dictionary now (0.2 s) rather than at the first call."""
    with _lock:
        _dictionary()


def pronunciations(word: str, *, as_written: str | None = None) -> list[str]:
    """The pronunciations of a word, the most likely first. `as_written` has the accents, which espeak-ng uses."""
    load()
    known = list(_dictionary().get(word, []))
    if not known and word.endswith("s") and (base := _dictionary().get(word[:-1])):
        known = [f"{phones} {_plural_end(phones)}" for phones in base]
    synthesized = arpabet(speech.phonemes(as_written or word))
    if synthesized and synthesized not in known:
        known.append(synthesized)
    return known


def arpabet(ipa: str) -> str:
    bare = ipa.replace("ˈ", "").replace("ˌ", "").replace(" ", "\0")
    phones: list[str] = []
    at = 0
    while at < len(bare):
        for length in range(_LONGEST, 0, -1):
            if (found := _ARPABET.get(bare[at : at + length])) is not None:
                phones.append(found)
                at += length
                break
        else:
            at += 1
    return " ".join(phones)


def _plural_end(phones: str) -> str:
    last = phones.rpartition(" ")[2]
    if last in _SIBILANTS:
        return "AH Z"
    return "S" if last in _VOICELESS else "Z"

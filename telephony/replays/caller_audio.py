"""What a recorded caller said, as separate utterances of µ-law at 8 kHz, and what the caller waited for with each."""

from __future__ import annotations

import array
import enum
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from recordings.files import copy_file
from recordings.finishing.audio import MS_OF_PEAK, NoAudio, read_audio, read_channel
from recordings.models import Recording
from sessions.calls.models import Call
from telephony.bridge.core.ulaw import BYTES_PER_MS, encode
from voiceapp.core.errors import ApplicationError
from voiceapp.core.kept_texts import KeptText

# Begin and end in ms.
Span = tuple[int, int]

# A pause within a sentence is shorter.
PAUSE_MS = 700
# A click is shorter than a word.
LEAST_LOUD_MS = 80
BEFORE_MS, AFTER_MS = 150, 250
# Of our recordings (recordings/lines.py), and of a file with one channel.
CALLER, AGENT = 0, 1
# An agent's voice goes on for so long after the caller has interrupted it: that is no answer yet.
STOPS_WITHIN_MS = 500
# Who says nothing for longer has waited for an answer that did not come.
GOES_ON_WITHIN_MS = 3000


class Cue(enum.Enum):
    """What an utterance's time is counted from."""

    AGENT_ENDED = enum.auto()
    # The caller interrupted the agent, so long after the beginning of its answer.
    AGENT_BEGAN = enum.auto()
    # The caller paused, and went on before the agent had answered.
    CALLER_ENDED = enum.auto()


@dataclass(frozen=True, slots=True)
class Utterance:
    """Its first sound came `after_ms` after what its cue names."""

    sound: bytes
    cue: Cue = Cue.AGENT_ENDED
    after_ms: int = 0


def utterances_of_call(call: Call) -> Sequence[Utterance]:
    """Of its first recording. Raises ApplicationError, or ProviderError where the file cannot be fetched."""
    recording = recording_of(call)
    if recording is None:
        raise ApplicationError(KeptText("This call has no stored recording."))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "call"
        copy_file(recording, path)
        return utterances_of(path, name=KeptText("The recording"))


def recording_of(call: Call) -> Recording | None:
    stored = call.recordings.filter(state__in=("stored", "cut_short"), size_bytes__gt=0, voicemail__isnull=True)
    return stored.order_by("created_at").first()


def utterances_of(path: Path, *, name: str = "") -> Sequence[Utterance]:
    """Each without the silence around it. Raises ApplicationError for a file that cannot be read or is silent."""
    name = name or path.name
    try:
        audio = read_audio(path)
        pcm = b"".join(read_channel(path, channel=CALLER))
    except (NoAudio, OSError) as exc:
        raise ApplicationError(KeptText("%(file)s cannot be read: %(why)s", file=name, why=str(exc))) from exc
    sound = _ulaw(pcm)
    said = list(spans(audio.loud[CALLER]))
    if not said:
        raise ApplicationError(
            KeptText("Nobody speaks in “%(file)s”: its first channel has to be the caller's.", file=name)
        )
    cues = cues_of(said, list(spans(audio.loud[AGENT])) if len(audio.loud) > AGENT else None)
    return [
        Utterance(sound[max(0, begin - BEFORE_MS) * BYTES_PER_MS : (end + AFTER_MS) * BYTES_PER_MS], cue, after_ms)
        for (begin, end), (cue, after_ms) in zip(said, cues, strict=True)
    ]


def cues_of(said: Sequence[Span], answered: Sequence[Span] | None) -> Iterator[tuple[Cue, int]]:
    """For each utterance. `answered`: the agent's; None where they are unknown: each waits for the agent's end."""
    before = 0
    for begin, end in said:
        yield _cue(begin, before, answered) if answered is not None else (Cue.AGENT_ENDED, 0)
        before = end


def _cue(begin: int, before: int, answered: Sequence[Span]) -> tuple[Cue, int]:
    """`before`: the end of what the caller had said before."""
    since = [
        (max(began, before), ended)
        for began, ended in answered
        if began < begin and ended > before + (STOPS_WITHIN_MS if began < before else 0)
    ]
    if not since:
        went_on = begin - before <= GOES_ON_WITHIN_MS
        return (Cue.CALLER_ENDED, begin - before) if went_on else (Cue.AGENT_ENDED, 0)
    ended = since[-1][1]
    return (Cue.AGENT_BEGAN, begin - since[0][0]) if ended > begin else (Cue.AGENT_ENDED, begin - ended)


def spans(loud: bytes) -> Iterator[Span]:
    """Begin and end of each utterance in ms. `loud`: a byte for each 10 ms."""
    begin = end = -1
    count = 0
    for at, is_loud in enumerate(loud):
        if not is_loud:
            continue
        if begin >= 0 and (at - end) * MS_OF_PEAK > PAUSE_MS:
            if count * MS_OF_PEAK >= LEAST_LOUD_MS:
                yield begin * MS_OF_PEAK, end * MS_OF_PEAK
            begin, count = -1, 0
        begin = at if begin < 0 else begin
        end = at + 1
        count += 1
    if begin >= 0 and count * MS_OF_PEAK >= LEAST_LOUD_MS:
        yield begin * MS_OF_PEAK, end * MS_OF_PEAK


def _ulaw(pcm: bytes) -> bytes:
    table = _table()
    return bytes(table[sample + 32768] for sample in array.array("h", pcm))


@cache
def _table() -> bytes:
    return bytes(encode(sample) for sample in range(-32768, 32768))

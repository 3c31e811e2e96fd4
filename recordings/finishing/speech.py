"""What is said in a file without a transcript: each stretch of speech is transcribed by itself, and so has its time."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet

from recordings.lines import PREFIX, SPEAKERS, lines_of
from recordings.models import Recording
from recordings.transcription import transcribe
from sessions.calls.models import TranscriptLine
from voiceapp.core.transactions import release_connections

from .audio import MS_OF_PEAK, RATE, Audio, read_channel

# A shorter pause is part of a sentence.
PAUSE_MS = 700
# Before and after what is loud: quiet consonants.
MARGIN_MS = 200
SHORTEST_MS = 240
LONGEST_MS = 30_000
AT_ONCE = 4
BYTES_PER_MS = RATE * 2 // 1000
Speaker = TranscriptLine.Speaker


class Stretch(NamedTuple):
    """In ms from the beginning of the file."""

    start_ms: int
    end_ms: int


def transcribe_channels(recording: Recording, audio: Audio, path: Path) -> None:
    """Two channels become lines of the caller and the agent, each stored as soon as it is there. One channel, with both
    voices, becomes lines without a speaker, and the recording's own transcript. Raises OpenAIError.
    """
    language = recording.call.agent_version.language if recording.call.agent_version else ""
    lines = lines_of(recording)
    known = set(lines.values_list("item_id", flat=True))
    speakers = SPEAKERS[audio.channels]
    for channel, loud in enumerate(audio.loud):
        stretches = stretches_of(loud)
        stretches = [each for each in stretches if _item_id(recording, channel, each) not in known]
        spoken = cut_out(read_channel(path, channel=channel), stretches)
        release_connections()
        for stretch, text in _transcribed(spoken, language):
            _keep_line(recording, speakers[channel], _item_id(recording, channel, stretch), stretch, text)
    with transaction.atomic():
        lines.filter(text="").delete()
        if audio.channels == 2:
            _number_turns(lines.all())
        else:
            texts = lines.order_by("spoken_at_ms", "id").values_list("text", flat=True)
            Recording.objects.filter(pk=recording.pk, transcript="").update(transcript="\n".join(texts))


def stretches_of(loud: bytes) -> list[Stretch]:
    """Where somebody speaks. `loud` as in Audio.loud. They do not overlap."""
    found: list[Stretch] = []
    start, last = -1, -1
    for at in [*(at for at, is_loud in enumerate(loud) if is_loud), None]:
        is_over = at is None or (at - last) * MS_OF_PEAK > PAUSE_MS or (at - start) * MS_OF_PEAK >= LONGEST_MS
        if is_over and start >= 0:
            if loud.count(1, start, last + 1) * MS_OF_PEAK >= SHORTEST_MS:
                previous_ms = found[-1].end_ms if found else 0
                begin_ms = max(start * MS_OF_PEAK - MARGIN_MS, previous_ms)
                found.append(Stretch(begin_ms, (last + 1) * MS_OF_PEAK + MARGIN_MS))
            start = -1
        if at is not None:
            start, last = (at if start < 0 else start), at
    return found


def cut_out(parts: Iterator[bytes], stretches: list[Stretch]) -> Iterator[tuple[Stretch, bytes]]:
    """The samples of each stretch, in order; of the whole file only what is needed is in memory."""
    held, held_from = bytearray(), 0
    for stretch in stretches:
        start, end = stretch.start_ms * BYTES_PER_MS, stretch.end_ms * BYTES_PER_MS
        while held_from + len(held) < end:
            part = next(parts, None)
            if part is None:
                break
            held += part
            passed = min(max(start - held_from, 0), len(held))
            del held[:passed]
            held_from += passed
        first = max(start - held_from, 0)
        yield stretch, bytes(held[first : end - held_from])
        del held[: end - held_from]
        held_from = end


def _transcribed(spoken: Iterator[tuple[Stretch, bytes]], language: str) -> Iterator[tuple[Stretch, str]]:
    """Several at once, in order. Raises OpenAIError at the first that failed."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        while group := list(islice(spoken, AT_ONCE)):
            texts = threads.map(lambda each: transcribe(_wav(each[1]), language=language), group)
            for (stretch, _), text in zip(group, texts, strict=True):
                yield stretch, text


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(pcm)
    return file.getvalue()


def _item_id(recording: Recording, channel: int, stretch: Stretch) -> str:
    return f"{PREFIX}{recording.pk}_{channel}_{stretch.start_ms}"


def _keep_line(recording: Recording, speaker: str, item_id: str, stretch: Stretch, text: str) -> None:
    """Also without a word, so that it is not transcribed again."""
    TranscriptLine.objects.get_or_create(
        call_id=recording.call_id,
        item_id=item_id,
        defaults={
            "speaker": speaker,
            "text": text,
            "spoken_at_ms": max(stretch.start_ms + MARGIN_MS + recording.starts_at_ms, 0),
        },
    )


def _number_turns(lines: QuerySet[TranscriptLine]) -> None:
    """As in a live call: a turn begins with the caller."""
    turn, numbered = 0, list(lines.order_by("spoken_at_ms", "id"))
    for line in numbered:
        turn += line.speaker == Speaker.CALLER
        line.turn = turn
    TranscriptLine.objects.bulk_update(numbered, ["turn"], batch_size=500)

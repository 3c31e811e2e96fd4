"""Transcript lines that are made of a recording, where the live call left none: the search finds them, the player plays
them. Each has the recording's number in its id, and is made once.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from recordings.models import Recording
from sessions.calls.models import TranscriptLine

Speaker = TranscriptLine.Speaker

PREFIX = "recording_"
# By the number of channels: in one, nobody can tell who speaks.
SPEAKERS = {1: (Speaker.UNKNOWN,), 2: (Speaker.CALLER, Speaker.AGENT)}
# Of a text without times; what is longer is the last one.
MOST_OF_TEXT = 1000


def live_lines(recording: Recording) -> QuerySet[TranscriptLine]:
    """What the live call has written down."""
    lines = TranscriptLine.objects.filter(call=recording.call_id).exclude(text="")
    return lines.exclude(item_id__startswith=PREFIX)


def lines_of(recording: Recording) -> QuerySet[TranscriptLine]:
    """What was made of this recording."""
    return TranscriptLine.objects.filter(call=recording.call_id, item_id__startswith=f"{PREFIX}{recording.pk}_")


def keep_text(recording: Recording, text: str) -> None:
    """A transcript that came as a text: its paragraphs become lines at the recording's beginning.

    They replace what was made of the recording before, and are not made where it is known who said what.
    """
    known = TranscriptLine.objects.filter(call=recording.call_id).exclude(text="").exclude(speaker=Speaker.UNKNOWN)
    with transaction.atomic():
        lines_of(recording).filter(speaker=Speaker.UNKNOWN).delete()
        if known.exists():
            return
        paragraphs = [each.strip() for each in text.split("\n", MOST_OF_TEXT - 1) if each.strip()]
        TranscriptLine.objects.bulk_create(
            TranscriptLine(
                call_id=recording.call_id,
                item_id=f"{PREFIX}{recording.pk}_text_{number}",
                speaker=Speaker.UNKNOWN,
                text=paragraph,
                spoken_at_ms=max(recording.starts_at_ms, 0),
            )
            for number, paragraph in enumerate(paragraphs)
        )

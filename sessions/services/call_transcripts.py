"""The words of a call as one text."""

from __future__ import annotations

from sessions.models import Call
from sessions.recording_links import recording_transcript

MOST_LINES = 5000


def transcript_of(call: Call) -> str | None:
    """What was written of its recording, else its lines as they were spoken; None where there are no words."""
    return recording_transcript(call) or _spoken(call)


def _spoken(call: Call) -> str | None:
    lines = call.lines.order_by("spoken_at_ms", "id").values_list("speaker", "text")[:MOST_LINES]
    return "\n".join(f"{speaker.capitalize()}: {text}" for speaker, text in lines) or None

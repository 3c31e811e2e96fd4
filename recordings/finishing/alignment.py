"""A transcript on the clock of a recording: the lines of the live call or, where there are none, OpenAI's."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from recordings.lines import live_lines
from recordings.models import Recording
from sessions.calls.models import TranscriptLine
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.openai.errors import OpenAIError

from .audio import Audio
from .placing import start_by_agent
from .speech import transcribe_channels

# Their files begin when another machine begins them; the others know the call's clock.
ON_OTHERS_CLOCKS = (Recording.Source.LIVEKIT_EGRESS, Recording.Source.TWILIO, Recording.Source.PAGE)

MOST_LINES = 500


def align(recording: Recording, audio: Audio, path: Path, *, is_last_try: bool) -> str:
    """Why there is no transcript; empty if there is one. Raises ProviderError for what may pass, until the last try."""
    _find_start(recording, audio)
    if live_lines(recording).exists() or recording.transcript:
        return ""
    try:
        transcribe_channels(recording, audio, path)
    except ProviderError as fault:
        if not (fault.permanent or is_last_try):
            raise
        return f"No transcript: {fault.public_message if isinstance(fault, OpenAIError) else fault}"
    return ""


def _find_start(recording: Recording, audio: Audio) -> None:
    """Where the first sample is on the call's clock, which begins when the call is connected."""
    near_ms = _reported_start_ms(recording)
    if near_ms is None:
        return
    said = live_lines(recording).filter(speaker=TranscriptLine.Speaker.AGENT)
    times = list(said.order_by("spoken_at_ms").values_list("spoken_at_ms", flat=True)[:MOST_LINES])
    recording.starts_at_ms = start_by_agent(audio, times, near_ms=near_ms)
    Recording.objects.filter(pk=recording.pk).update(starts_at_ms=recording.starts_at_ms)


def _reported_start_ms(recording: Recording) -> int | None:
    """By the clock of its source; None where that is the call's own, or says nothing."""
    if recording.source == Recording.Source.VAPI:
        return recording.starts_at_ms or None  # 0: VAPI carries the phone, and its clock is the transcript's
    if recording.source == Recording.Source.PAGE and recording.starts_at_ms:
        return recording.starts_at_ms
    if recording.starts_at_ms or recording.source not in ON_OTHERS_CLOCKS or recording.started_at is None:
        return None
    began_at = recording.call.connected_at or recording.call.created_at
    return round((recording.started_at - began_at) / dt.timedelta(milliseconds=1))

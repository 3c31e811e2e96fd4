"""`GET /sounds/hold.wav`: what a waiting caller hears, a few soft notes made by code."""

from __future__ import annotations

import io
import math
import struct
import wave
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

RATE = 8000
NOTE_S = 0.8
LOUDEST = 3200
# Ten notes, each with its octave below: C E G A G, F A C A G.
NOTES_HZ = (261.6, 329.6, 392.0, 440.0, 392.0, 349.2, 440.0, 523.3, 440.0, 392.0)


@require_safe
def hold_sound(request: HttpRequest) -> HttpResponse:
    return HttpResponse(sound(), content_type="audio/wav", headers={"Cache-Control": "public, max-age=86400"})


@cache
def sound() -> bytes:
    """8 s of 16-bit mono at 8 kHz."""
    samples = [sample for hz in NOTES_HZ for sample in _note(hz)]
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return file.getvalue()


def _note(hz: float) -> list[int]:
    """Struck and fading, so that one note passes into the next without a click."""
    length = int(NOTE_S * RATE)
    step = 2 * math.pi / RATE
    return [
        round(
            LOUDEST
            * min(index / 160, 1)
            * math.exp(-3 * index / length)
            * (0.7 * math.sin(step * hz * index) + 0.3 * math.sin(step * hz / 2 * index))
        )
        for index in range(length)
    ]

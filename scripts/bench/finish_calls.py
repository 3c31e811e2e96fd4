"""Finishes the recording of a call of some minutes and one of an hour; prints what each needed.

Usage, in the environment of the product: python scripts/bench/finish_calls.py ORG MINUTES
"""

from __future__ import annotations

import json
import resource
import sys
import time
import wave
from pathlib import Path

import django
from django.conf import settings
from django.utils import timezone

RATE = 8000
SENTENCES = ("I would like a large pizza with mushrooms and two bottles of cola.", "Very well, anything else today?")
PAUSE_S = 2


def measure(org_id: str, minutes: int) -> list[dict[str, float]]:
    django.setup()
    # The first file pays for what is loaded once.
    return [finish(org_id, each) for each in (1, minutes, 60)][1:]


def finish(org_id: str, minutes: int) -> dict[str, float]:
    from agents.organizations.models import Organization
    from recordings.finishing.runs import finish_due
    from recordings.finishing.services import enqueue_finishing
    from recordings.models import Recording
    from recordings.sources.registry import SOURCES
    from sessions.calls.models import Call, TranscriptLine

    path = Path(settings.FINISHING_DIR).parent / f"call-{minutes}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_call(path, minutes)
    now = timezone.now()
    organization = Organization.objects.get(pk=org_id)
    call = Call.objects.create(organization=organization, state="completed", connected_at=now, ended_at=now)
    TranscriptLine.objects.create(call=call, item_id="1", speaker="caller", text="Hello.", spoken_at_ms=0)
    recording = Recording.objects.create(call=call, source=Recording.Source.BRIDGE, state=Recording.State.RECORDING)
    SOURCES[Recording.Source.BRIDGE] = OneFile(path)  # type: ignore[index]
    enqueue_finishing(recording)
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    finish_due()
    wall_s, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    recording.refresh_from_db()
    path.unlink()
    return {
        "minutes": minutes,
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "is_stored": recording.has_file and recording.duration_ms == minutes * 60_000,
    }


class OneFile:
    """A source with this file: a link, so that the copying of a fetch is not measured."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fetch(self, recording: object, into: Path) -> None:
        into.hardlink_to(self._path)

    def delete(self, recording: object) -> None:
        return None


def write_call(path: Path, minutes: int) -> None:
    """The two speak in turn, all the time."""
    import numpy as np

    from voiceapp.simulators import speech

    caller, agent = (np.frombuffer(speech.say(each), "<i2") for each in SENTENCES)
    length = len(caller) + len(agent) + PAUSE_S * RATE
    turn = np.zeros((length, 2), "<i2")
    turn[: len(caller), 0] = caller
    turn[len(caller) + RATE : len(caller) + RATE + len(agent), 1] = agent
    left = minutes * 60 * RATE
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        while left:
            part = turn[:left]
            file.writeframes(part.tobytes())
            left -= len(part)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))

"""A call with an order whose recording the synthesizer speaks: the caller on one channel, the agent on the other."""

from __future__ import annotations

import datetime as dt
import io
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.utils import timezone
from pytest_django import Settings

from recordings.files import store_file
from recordings.models import Recording
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import LineSpoken, Speaker, TurnAnswered, TurnInterrupted
from sessions.calls.models import Call
from sessions.calls.services import finish_call, record_facts
from sessions.orders.services.said_times import settle_order_lines
from sessions.tests.builders import Phone, make_call
from voiceapp.management.demo.organization import Demo
from voiceapp.simulators import speech

RATE = speech.SAMPLE_RATE
BINS = 1000
KEY = "recordings/bella-napoli/2026/11/1.wav"


@dataclass(frozen=True, slots=True)
class Spoken:
    speaker: Speaker
    text: str
    at_ms: int
    turn: int
    is_cut: bool = False


AGENT, CALLER = Speaker.AGENT, Speaker.CALLER
# More than a browser fetches at once lies before the last line of the caller's.
LINES = (
    Spoken(AGENT, "Bella Napoli, hello. What would you like to order?", 400, 0),
    Spoken(CALLER, "Two small funghi please", 4_600, 1),
    Spoken(AGENT, "Two small funghi. Would you like anything to drink with", 7_400, 1, is_cut=True),
    Spoken(CALLER, "No", 11_000, 2),
    Spoken(AGENT, "Anything else?", 12_800, 2),
    Spoken(CALLER, "And a tiramisu please", 40_000, 3),
    Spoken(AGENT, "I have two small funghi and one tiramisu. Is that right?", 42_600, 3),
    Spoken(CALLER, "Yes please", 47_000, 4),
    Spoken(AGENT, "Thank you. Good bye!", 48_800, 4),
)
LENGTH_MS = 52_000


def make_recorded_call(demo: Demo, settings: Settings, folder: Path) -> Call:
    """Completed, its order submitted and found in the transcript, its recording stored."""
    settings.RECORDINGS_DIR, settings.LIVEKIT_RECORDING_BUCKET = str(folder), ""
    call = make_call(demo.agent, connected_at=timezone.now() - dt.timedelta(milliseconds=LENGTH_MS))
    phone = Phone(call.pk)
    phone.add("Funghi", size="small", quantity=2)
    phone.turns = 3
    phone.add("Tiramisu")
    assert phone.agrees()["ok"]
    assert call.connected_at is not None
    for tool_call, at_ms in zip(call.tool_calls.order_by("id"), (6_600, 41_700, 41_900, 48_200), strict=True):
        tool_call.at = call.connected_at + dt.timedelta(milliseconds=at_ms)
        tool_call.save()
    lines = [
        LineSpoken(f"item_{number}", each.speaker, each.text, each.at_ms, each.turn, each.is_cut)
        for number, each in enumerate(LINES)
    ]
    answers = [TurnAnswered(1, 6_300, 1_100, 500, 450, 150), TurnAnswered(3, 41_600, 1_000, 500, 400, 100)]
    record_facts(call.pk, [*lines, *answers, TurnInterrupted(1, 11_000, 3_600)])
    finish_call(call.pk, reason=EndReason.AGENT_HUNG_UP)
    settle_order_lines(call.pk)
    sound = lanes()
    content = wav_of(sound)
    Recording.objects.create(
        call=call, source=Recording.Source.BRIDGE, external_id=f"bridge-{call.pk}", state="stored", file_type="wav",
        key=KEY, bucket=store_file(KEY, content, file_type="wav"), size_bytes=len(content), duration_ms=LENGTH_MS,
        channels=2, peaks=peaks_of(sound),
    )  # fmt: skip
    return call


def lanes() -> np.ndarray:
    """Samples by channel: the caller, then the agent with another voice."""
    sound = np.zeros((2, LENGTH_MS * RATE // 1000), dtype="<i2")
    for line in LINES:
        voice = "en-us" if line.speaker is CALLER else "en-us+f3"
        spoken = np.frombuffer(speech.say(line.text, voice=voice), dtype="<i2")
        at = line.at_ms * RATE // 1000
        sound[0 if line.speaker is CALLER else 1, at : at + len(spoken)] = spoken
    return sound


def wav_of(sound: np.ndarray) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(len(sound))
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(sound.T.astype("<i2").tobytes())
    return file.getvalue()


def peaks_of(sound: np.ndarray) -> bytes:
    """As `Recording.peaks` has them."""
    length = sound.shape[1] // BINS * BINS
    loudest = np.abs(sound[:, :length].astype(np.int32)).reshape(len(sound), BINS, -1).max(axis=2)
    return bytes((loudest * 255 // 32768).astype(np.uint8))

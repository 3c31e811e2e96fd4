"""WAV files: a call in stereo (left the caller, right what the caller heard), a message in mono, which is kept."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol

import numpy as np

from voiceapp.simulators import mulaw

SAMPLE_RATE = 8000


class Recording(Protocol):
    """What the REST API shows: of a message, or of a call, which may still be recorded."""

    @property
    def call_sid(self) -> str: ...

    @property
    def status(self) -> str: ...

    @property
    def channels(self) -> int: ...

    @property
    def made_s(self) -> float: ...

    @property
    def ready_s(self) -> float: ...

    def resource(self, sid: str, *, account_sid: str) -> Mapping[str, object]: ...

    def wav(self, *, channels: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class KeptRecording:
    """A message, or both sides of a call: `others_ulaw` is what the person heard; mixed, they are one channel.

    Its audio can be fetched from `ready_s` on, on the clock of `time.monotonic`. With an `error_code` it has none.
    """

    call_sid: str
    ulaw: bytes
    made_at: datetime
    made_s: float
    ready_s: float
    others_ulaw: bytes | None = None
    source: str = "RecordVerb"
    error_code: int | None = None
    is_mixed: bool = False

    @property
    def status(self) -> str:
        if self.error_code is not None:
            return "absent"
        return "completed" if time.monotonic() >= self.ready_s else "processing"

    @property
    def channels(self) -> int:
        return 1 if self.others_ulaw is None or self.is_mixed else 2

    @property
    def duration_s(self) -> int:
        return round(len(self.ulaw) / SAMPLE_RATE)

    def wav(self, *, channels: int) -> bytes:
        """`channels`: of the file, at most as many as were recorded."""
        if self.others_ulaw is None:
            return mono_wav(self.ulaw)
        return stereo_wav(self.ulaw, self.others_ulaw) if channels == 2 else mixed_wav(self.ulaw, self.others_ulaw)

    def resource(self, sid: str, *, account_sid: str) -> Mapping[str, object]:
        return recording_resource(
            sid, account_sid=account_sid, call_sid=self.call_sid, channels=self.channels, made_at=self.made_at,
            duration=str(self.duration_s), source=self.source, status=self.status, error_code=self.error_code,
        )  # fmt: skip


def recording_resource(
    sid: str, *, account_sid: str, call_sid: str, channels: int, made_at: datetime, duration: str | None, source: str,
    status: str, error_code: int | None = None,
) -> Mapping[str, object]:  # fmt: skip
    """https://www.twilio.com/docs/voice/api/recording"""
    uri = f"/2010-04-01/Accounts/{account_sid}/Recordings/{sid}"
    made = format_datetime(made_at)
    return {
        "sid": sid,
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "call_sid": call_sid,
        "conference_sid": None,
        "channels": channels,
        "date_created": made,
        "date_updated": made,
        "start_time": made,
        "duration": duration,
        "encryption_details": None,
        "error_code": error_code,
        "media_url": f"https://api.twilio.com{uri}",
        "price": None,
        "price_unit": "USD",
        "source": source,
        "status": status,
        "subresource_uris": {},
        "uri": f"{uri}.json",
    }


def kept_recording(call_sid: str, ulaw: bytes, *, ready_in_s: float) -> KeptRecording:
    now_s = time.monotonic()
    return KeptRecording(call_sid, ulaw, datetime.now(UTC), now_s, now_s + ready_in_s)


def stereo_wav(left_ulaw: bytes, right_ulaw: bytes) -> bytes:
    """The two directions of a line, sample by sample, as 16-bit PCM."""
    length = min(len(left_ulaw), len(right_ulaw))
    left, right = (np.frombuffer(mulaw.decode(bytes(side[:length])), "<i2") for side in (left_ulaw, right_ulaw))
    return _wav(np.column_stack((left, right)).astype("<i2").tobytes(), channels=2)


def mixed_wav(left_ulaw: bytes, right_ulaw: bytes) -> bytes:
    length = min(len(left_ulaw), len(right_ulaw))
    left, right = (np.frombuffer(mulaw.decode(bytes(side[:length])), "<i2") for side in (left_ulaw, right_ulaw))
    return _wav(((left.astype("<i4") + right) // 2).astype("<i2").tobytes(), channels=1)


def mono_wav(ulaw: bytes) -> bytes:
    return _wav(mulaw.decode(ulaw), channels=1)


def pcm_of_wav(content: bytes) -> bytes:
    """8 kHz s16le from a 16-bit WAV file of any rate; the first channel of several."""
    with wave.open(io.BytesIO(content)) as file:
        if file.getsampwidth() != 2:
            raise ValueError("the WAV file is not 16-bit PCM")
        rate, channels = file.getframerate(), file.getnchannels()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")[::channels].astype(np.float64)
    if rate != SAMPLE_RATE:
        # A moving mean removes most of what would alias.
        if rate > SAMPLE_RATE:
            width = round(rate / SAMPLE_RATE)
            samples = np.convolve(samples, np.ones(width) / width, mode="same")
        times = np.arange(int(len(samples) * SAMPLE_RATE / rate)) * rate / SAMPLE_RATE
        samples = np.interp(times, np.arange(len(samples)), samples)
    return np.round(samples).astype("<i2").tobytes()


def pcm_of_wav_file(path: Path) -> bytes:
    return pcm_of_wav(path.read_bytes())


def _wav(pcm_s16le: bytes, *, channels: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(pcm_s16le)
    return file.getvalue()

"""WAV files: a call in stereo (left the caller, right what the caller heard), a message in mono, which is kept."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from voiceapp.simulators import mulaw

SAMPLE_RATE = 8000


class KeptRecording(NamedTuple):
    """A message. Its audio can be fetched from `ready_s` on, on the clock of `time.monotonic`."""

    call_sid: str
    ulaw: bytes
    made_at: datetime
    made_s: float
    ready_s: float

    @property
    def status(self) -> str:
        return "completed" if time.monotonic() >= self.ready_s else "processing"

    def resource(self, sid: str, *, account_sid: str) -> Mapping[str, object]:
        """https://www.twilio.com/docs/voice/api/recording"""
        uri = f"/2010-04-01/Accounts/{account_sid}/Recordings/{sid}"
        made_at = format_datetime(self.made_at)
        return {
            "sid": sid,
            "account_sid": account_sid,
            "api_version": "2010-04-01",
            "call_sid": self.call_sid,
            "conference_sid": None,
            "channels": 1,
            "date_created": made_at,
            "date_updated": made_at,
            "start_time": made_at,
            "duration": str(round(len(self.ulaw) / SAMPLE_RATE)),
            "encryption_details": None,
            "error_code": None,
            "media_url": f"https://api.twilio.com{uri}",
            "price": None,
            "price_unit": "USD",
            "source": "RecordVerb",
            "status": self.status,
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

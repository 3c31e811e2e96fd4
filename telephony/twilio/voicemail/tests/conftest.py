"""A call whose caller may leave a message, Twilio and OpenAI simulated, and a worker that runs on request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from sessions.calls.models import Call
from sessions.messages.endpoints.services.announcing import TOPIC as WEBHOOK_TOPIC
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from telephony.twilio.tests.conftest import (
    ACCOUNT_SID,
    CALL_SID,
    TOKEN,
    Twilio,
    call,
    line,
    own_account,
    serving_process,
    strangers_line,
    stream,
    twilio,
)
from telephony.twilio.voicemail.models import Voicemail
from voiceapp.simulators import mulaw, speech
from voiceapp.simulators.openai.tests.running import running_openai
from voiceapp.simulators.twilio.tests.running import RunningTwilio, running_twilio

__all__ = ["call", "line", "own_account", "serving_process", "strangers_line", "stream", "twilio"]

OPENAI_KEY = "sk-of-the-voicemail-tests"
SENTENCE = "Please call me back about my car."


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "wake_up", lambda topic: None)


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> Path:
    settings.RECORDINGS_DIR = str(tmp_path / "recordings")
    settings.LIVEKIT_RECORDING_BUCKET = ""
    return tmp_path / "recordings"


@pytest.fixture(scope="session")
def openai_url() -> Iterator[str]:
    with running_openai(keys=[OPENAI_KEY]) as server:
        yield server.address


@pytest.fixture
def openai(openai_url: str, settings: Settings) -> str:
    """Its address."""
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = OPENAI_KEY, f"{openai_url}/v1"
    return openai_url


@pytest.fixture(scope="session")
def twilio_process() -> Iterator[RunningTwilio]:
    with running_twilio(account_sid=ACCOUNT_SID, auth_token=TOKEN) as running:
        yield running


@pytest.fixture
def carrier(twilio_process: RunningTwilio, settings: Settings, own_account: None) -> RunningTwilio:
    settings.TWILIO_BASE_URL = twilio_process.url
    twilio_process.do(lambda server: server.carrier.account.recordings.clear())
    return twilio_process


def spoken(sentence: str = SENTENCE) -> bytes:
    """µ-law."""
    return mulaw.encode(speech.say(sentence))


def silent(seconds: float) -> bytes:
    return b"\xff" * int(8000 * seconds)


def noise(seconds: float) -> bytes:
    """Of a quiet line."""
    samples = np.random.default_rng(1).normal(0, 20, int(8000 * seconds))
    return mulaw.encode(samples.astype("<i2").tobytes())


def keep(carrier: RunningTwilio, ulaw: bytes, *, call_sid: str = CALL_SID, ready_in_s: float = 0.0) -> str:
    """Twilio records it; the recording's SID."""
    return carrier.do(lambda server: server.carrier.account.keep_recording(call_sid, ulaw, ready_in_s=ready_in_s))


def report(twilio: Twilio, sid: str, *, status: str = "completed", duration: str = "3") -> int:
    """Twilio's callback; our status."""
    fields = {
        "RecordingSid": sid,
        "RecordingStatus": status,
        "RecordingDuration": duration,
        "RecordingUrl": f"https://evil.example.com/{sid}",
        "RecordingChannels": "1",
        "RecordingSource": "RecordVerb",
    }
    return twilio.post("/twilio/recording-status", **fields).status_code


def work(*topics: str, later: dt.timedelta = dt.timedelta()) -> None:
    """The worker's run, so much later."""
    with time_machine.travel(timezone.now() + later, tick=True):
        outbox.process_due([_topic(topic) for topic in topics] or None)


def only_voicemail() -> Voicemail:
    return Voicemail.objects.select_related("call__organization", "recording__call").get()


def jobs(topic: str) -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(topic=_topic(topic)))


def _topic(name: str) -> str:
    """`post` is the webhook."""
    return WEBHOOK_TOPIC if name == "post" else f"voicemail.{name}"


@pytest.fixture
def stored(call: Call, carrier: RunningTwilio, twilio: Twilio) -> Callable[..., Voicemail]:
    """Leaves a message and stores it."""

    def leave(ulaw: bytes | None = None) -> Voicemail:
        report(twilio, keep(carrier, spoken() if ulaw is None else ulaw))
        work("fetch")
        return only_voicemail()

    return leave

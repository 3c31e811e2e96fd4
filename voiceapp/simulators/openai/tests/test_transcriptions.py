"""`/v1/audio/transcriptions` of the simulator: what callers say to a voicemail, by the official client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from voiceapp.providers.openai.client import OpenAIClient, OpenAIError
from voiceapp.simulators import mulaw, speech
from voiceapp.simulators.openai import OpenAISimulator
from voiceapp.simulators.twilio.recording import mono_wav

from .running import running_openai

KEY = "sk-of-the-transcriptions"


@pytest.fixture(scope="module")
def simulator() -> Iterator[OpenAISimulator]:
    with running_openai(keys=[KEY]) as server:
        yield server


def wav(sentence: str) -> bytes:
    return mono_wav(mulaw.encode(speech.say(sentence)))


def transcribe(simulator: OpenAISimulator, audio: bytes, *, model: str = "gpt-transcribe", url: str = "") -> str:
    client = OpenAIClient(api_key=KEY, base_url=url or simulator.base_url)
    return client.transcribe(audio, file_name="m.wav", content_type="audio/wav", model=model, language="en")


@pytest.mark.parametrize(
    "sentence",
    [
        "Please call me back about my car.",
        "Hello this is bob.",
        "My number is one two three four thank you very much.",
        "I would like to move my appointment tomorrow.",
    ],
)
def test_it_understands_a_message(simulator: OpenAISimulator, sentence: str) -> None:
    assert transcribe(simulator, wav(sentence)) == sentence


def test_silence_has_no_words(simulator: OpenAISimulator) -> None:
    assert transcribe(simulator, mono_wav(b"\xff" * 16000)) == ""


def post(simulator: OpenAISimulator, **fields: Any) -> httpx.Response:
    file = fields.pop("file", wav("Hello."))
    files = {"file": ("m.wav", file, "audio/wav")} if file is not None else {"other": ("o", b"", "text/plain")}
    headers = {"Authorization": f"Bearer {fields.pop('key', KEY)}"}
    url = f"{simulator.base_url}/audio/transcriptions"
    return httpx.post(url, data={"model": "whisper-1"} | fields, files=files, headers=headers, trust_env=False)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"key": "sk-wrong"}, 401, "invalid_api_key"),
        ({"file": None}, 400, "missing_required_parameter"),
        ({"model": "gpt-nothing"}, 404, "model_not_found"),
        ({"response_format": "srt"}, 400, "unsupported_value"),
        ({"file": b"no sound"}, 400, "invalid_value"),
        ({"file": mono_wav(b"\xff" * 100)}, 400, "audio_too_short"),
    ],
)
def test_errors_are_openais(simulator: OpenAISimulator, fields: dict[str, Any], status: int, code: str) -> None:
    response = post(simulator, **fields)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


def test_a_body_that_is_no_form_is_refused(simulator: OpenAISimulator) -> None:
    url, headers = f"{simulator.base_url}/audio/transcriptions", {"Authorization": f"Bearer {KEY}"}
    assert httpx.post(url, json={}, headers=headers, trust_env=False).status_code == 400


@pytest.mark.parametrize("fault", ["refuse=500", "garbage", "big_frame=2", "redirect"])
def test_the_client_raises_for_every_fault(simulator: OpenAISimulator, fault: str) -> None:
    with pytest.raises(OpenAIError):
        transcribe(simulator, wav("Hello."), url=simulator.fault_url(fault))

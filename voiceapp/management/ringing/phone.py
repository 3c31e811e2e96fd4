"""The simulated phone, asked over its control interface to place calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from django.conf import settings

from voiceapp.core.errors import ApplicationError

REAL_TWILIO = "https://api.twilio.com"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the simulated phone listens, and where the product does."""

    phone: str
    product: str


def addresses() -> Addresses:
    """From the environment, else from the product that `make run` serves now, else an ApplicationError."""
    phone, product = settings.TWILIO_BASE_URL, settings.PUBLIC_BASE_URL
    run_file = settings.VAR_DIR / "run.json"
    if phone == REAL_TWILIO and run_file.exists():
        serving = json.loads(run_file.read_text())
        phone, product = serving.get("TWILIO_BASE_URL", phone), serving["PUBLIC_BASE_URL"]
    if phone == REAL_TWILIO:
        raise ApplicationError("No local phone is running. Start `make run` in another terminal, then ring again.")
    return Addresses(phone, product)


class LocalPhone:
    """Places calls and asks what became of them. Raises ApplicationError with what the phone said."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=10, trust_env=False)

    def place_call(
        self, *, caller: str, number: str, voice_url: str, status_callback: str, steps: Sequence[object]
    ) -> str:
        """Ring, and return the call's sid."""
        body = {
            "from": caller,
            "to": number,
            "voice_url": voice_url,
            "status_callback": status_callback,
            "steps": list(steps),
        }
        return str(self._ask("POST", "/local/calls", body)["sid"])

    def report(self, sid: str) -> dict[str, object]:
        """What became of the call so far (`is_done`, moments of speech, gaps, notices)."""
        return self._ask("GET", f"/local/calls/{sid}")

    def save_recording(self, sid: str, path: Path) -> None:
        """The call as stereo WAV: left what the caller said, right what the caller heard."""
        answer = self._client.get(f"/local/calls/{sid}/recording.wav")
        if answer.status_code != httpx.codes.OK:
            raise ApplicationError(f"The phone has no recording of {sid} (status {answer.status_code}).")
        path.write_bytes(answer.content)

    def hang_up(self, sid: str) -> None:
        self._ask("POST", f"/local/calls/{sid}/hangup")

    def _ask(self, method: str, path: str, body: object | None = None) -> dict[str, object]:
        try:
            answer = self._client.request(method, path, json=body)
            content = answer.json()
        except httpx.TransportError as exc:
            raise ApplicationError(
                f"The simulated phone at {self._client.base_url} does not answer. Is `make run` on?"
            ) from exc
        except ValueError as exc:
            raise ApplicationError(f"{self._client.base_url} is no local phone: it answered no JSON.") from exc
        if answer.status_code >= httpx.codes.BAD_REQUEST or not isinstance(content, dict):
            message = content.get("message") or content.get("error") if isinstance(content, dict) else content
            raise ApplicationError(f"The simulated phone refused: {message}")
        return content

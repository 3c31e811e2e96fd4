"""A client of the control API of the simulated phone, which places calls."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
from django.conf import settings

from voiceapp.core.errors import ApplicationError

REAL_TWILIO = "https://api.twilio.com"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The URLs of the simulated phone and of the product."""

    phone: str
    product: str


def addresses() -> Addresses:
    """From the environment, otherwise from the running `make run`. Raises ApplicationError if there is neither."""
    phone, product = settings.TWILIO_BASE_URL, settings.PUBLIC_BASE_URL
    run_file = settings.VAR_DIR / "run.json"
    if phone == REAL_TWILIO and run_file.exists():
        serving = json.loads(run_file.read_text())
        phone, product = serving.get("TWILIO_BASE_URL", phone), serving["PUBLIC_BASE_URL"]
    if phone == REAL_TWILIO:
        raise ApplicationError("No simulated phone is running. Start `make run` in another terminal, then try again.")
    return Addresses(phone, product)


class SimulatedPhone:
    """Places calls and reads their reports. Raises ApplicationError with the error of the phone."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=10, trust_env=False)

    def place_call(
        self, *, caller: str, number: str, voice_url: str, status_callback: str, steps: Sequence[object]
    ) -> str:
        """Place a call. Returns its sid."""
        body = {
            "from": caller,
            "to": number,
            "voice_url": voice_url,
            "status_callback": status_callback,
            "steps": list(steps),
        }
        return str(self._request("POST", "/local/calls", body)["sid"])

    def set_number(self, number: str, behavior: Mapping[str, object]) -> None:
        """What the person at that number does when the phone rings (docs/reference/simulator-twilio.md)."""
        self._request("PUT", f"/local/numbers/{quote(number)}", behavior)

    def texts_at(self, number: str) -> dict[str, str]:
        """The texts that have arrived at that number, by their sids."""
        arrived: Any = self._request("GET", f"/local/messages?number={quote(number)}")["messages"]
        return {each["sid"]: each["body"] for each in arrived}

    def sentences_heard_at(self, number: str) -> str:
        """All that a voice of the carrier's has said to that number, in all calls to it."""
        calls: Any = self._request("GET", f"/local/calls?to={quote(number)}")["calls"]
        events: Any = [event for call in calls for event in self.report(call["sid"])["events"]]  # type: ignore[attr-defined]
        return " ".join(event["details"]["text"] for event in events if event["what"] == "twilio_says")

    def report(self, sid: str) -> dict[str, object]:
        """The report of the call so far (`is_done`, speech, gaps, notices)."""
        return self._request("GET", f"/local/calls/{sid}")

    def recording(self, sid: str) -> bytes:
        """The call as stereo WAV: left what the caller said, right what the caller heard."""
        response = self._send("GET", f"/local/calls/{sid}/recording.wav")
        if response.status_code != httpx.codes.OK:
            raise ApplicationError(f"The phone has no recording of {sid} (status {response.status_code}).")
        return response.content

    def hang_up(self, sid: str) -> None:
        self._request("POST", f"/local/calls/{sid}/hangup")

    def _request(self, method: str, path: str, body: object | None = None) -> dict[str, object]:
        response = self._send(method, path, body)
        try:
            content = response.json()
        except ValueError as exc:
            raise ApplicationError(
                f"{self._client.base_url} is not a simulated phone: its response is not JSON."
            ) from exc
        if response.status_code >= httpx.codes.BAD_REQUEST or not isinstance(content, dict):
            message = content.get("message") or content.get("error") if isinstance(content, dict) else content
            raise ApplicationError(f"The simulated phone rejected the request: {message}")
        return content

    def _send(self, method: str, path: str, body: object | None = None) -> httpx.Response:
        try:
            return self._client.request(method, path, json=body)
        except httpx.TransportError as exc:
            raise ApplicationError(
                f"The simulated phone at {self._client.base_url} does not respond. Is `make run` on?"
            ) from exc

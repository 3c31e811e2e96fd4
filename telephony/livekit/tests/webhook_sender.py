"""Sends events to the product over HTTP, signed as LiveKit signs them, or not quite."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

import httpx
import jwt

from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET

PATH = "/api/voice/webhook"
TYPE = "application/webhook+json"


def sign(body: bytes, *, secret: str = API_SECRET, algorithm: str = "HS256", **claims: object) -> str:
    """A claim that is None is left out."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    now_s = int(time.time())
    full = {"iss": API_KEY, "nbf": now_s, "exp": now_s + 300, "sha256": digest} | claims
    wanted = {name: value for name, value in full.items() if value is not None}
    return jwt.encode(wanted, "" if algorithm == "none" else secret, algorithm=algorithm)


class WebhookSender:
    def __init__(self, url: str) -> None:
        self.url = url + PATH
        self._http = httpx.Client(trust_env=False, timeout=10)

    def close(self) -> None:
        self._http.close()

    def send(self, body: bytes, authorization: str, content_type: str = TYPE) -> httpx.Response:
        headers = {"Authorization": authorization, "Content-Type": content_type}
        return self._http.post(
            self.url, content=body, headers={name: value for name, value in headers.items() if value}
        )

    def send_event(self, event: str, **about: Any) -> httpx.Response:
        body = json.dumps({"event": event, **about}).encode()
        return self.send(body, sign(body))

    def request(self, method: str) -> httpx.Response:
        return self._http.request(method, self.url)

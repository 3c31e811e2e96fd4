"""Paths of the endpoints, and the requests and calls that the tests share."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import jwt

from agents.tests.people import ApiClient
from sessions.calls.models import Call, CallState
from voiceapp.simulators.livekit.tests.running import API_SECRET

SESSION, TOKEN = "/api/voice/session", "/api/voice/token"
UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
HOST = "wss://livekit.example.com"


def started(api: ApiClient, **body: object) -> dict[str, Any]:
    """The session of a new call."""
    answer = api.post(SESSION, **body)
    assert answer.status_code == 200, answer.text
    session: dict[str, Any] = answer.json()["session"]
    return session


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, API_SECRET, algorithms=["HS256"])
    return claims


def ended(call: Call, *, after_s: int) -> Call:
    """The same call, over after so long."""
    assert call.connected_at
    call.state = CallState.COMPLETED
    call.ended_at = call.connected_at + dt.timedelta(seconds=after_s)
    call.save()
    return call

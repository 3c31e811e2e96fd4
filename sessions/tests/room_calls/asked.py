"""The addresses, and calls as the tests need them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import jwt
from django.utils import timezone

from agents.models import Organization
from sessions.models import Call
from sessions.models.call import CallKind, CallState, CallType
from sessions.tests.room_agents.asker import Asker
from voiceapp.tests.livekit.running import API_SECRET

SESSION, TOKEN = "/api/voice/session", "/api/voice/token"
ROOM = "support-user123-1640995200"
UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
HOST = "wss://livekit.example.com"


def started(asker: Asker, **body: object) -> dict[str, Any]:
    """The session of a new call."""
    answer = asker.post(SESSION, **body)
    assert answer.status_code == 200, answer.text
    session: dict[str, Any] = answer.json()["session"]
    return session


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, API_SECRET, algorithms=["HS256"])
    return claims


def a_call(organization: Organization | None, **values: object) -> Call:
    """A connected support call of Alice's in the room of the documentation, for which LiveKit is not asked."""
    given: dict[str, object] = {
        "organization": organization,
        "owner": "user_alice",
        "kind": CallKind.ROOM,
        "room_name": ROOM,
        "call_type": CallType.SUPPORT,
        "state": CallState.CONNECTED,
        "connected_at": timezone.now(),
    }
    return Call.objects.create(**(given | values))


def ended(call: Call, *, after_s: int) -> Call:
    """The same call, over after so long."""
    assert call.connected_at
    call.state = CallState.COMPLETED
    call.ended_at = call.connected_at + dt.timedelta(seconds=after_s)
    call.save()
    return call

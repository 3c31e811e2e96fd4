"""Requests to the endpoints of room agents, with what each method needs."""

from __future__ import annotations

import httpx

from agents.tests.people import ApiClient
from sessions.tests.builders import ROOM

AGENT, REALTIME = "/api/voice/agent", "/api/voice/realtime"
# Every method of both endpoints.
ALL = [
    ("POST", AGENT), ("GET", AGENT), ("PATCH", AGENT), ("DELETE", AGENT),
    ("POST", REALTIME), ("GET", REALTIME), ("DELETE", REALTIME),
]  # fmt: skip


def send_request(api: ApiClient, method: str, path: str, room: str = ROOM) -> httpx.Response:
    if method in ("GET", "DELETE"):
        return api.http.request(method, path, params={"roomName": room})
    more = {"status": "active"} if method == "PATCH" else {}
    return api.http.request(method, path, json={"roomName": room, **more})

"""Who asks about agents, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from agents.models import Organization
from voiceapp.tests.providers.clerk_instance import ClerkInstance

AGENT, REALTIME = "/api/voice/agent", "/api/voice/realtime"
ROOM = "support-user123-1640995200"
# Every method of both endpoints, as it is asked for a room.
ALL = [
    ("POST", AGENT), ("GET", AGENT), ("PATCH", AGENT), ("DELETE", AGENT),
    ("POST", REALTIME), ("GET", REALTIME), ("DELETE", REALTIME),
]  # fmt: skip


def token_of(clerk: ClerkInstance, subject: str, organization: Organization | None, *, role: str = "member") -> str:
    if organization is None:
        return clerk.token(subject)
    return clerk.token(subject, o={"id": organization.clerk_id, "rol": role})


class Asker:
    """One credential."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def post(self, path: str, **body: object) -> httpx.Response:
        return self.http.post(path, json=body)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(path, params=query)

    def patch(self, path: str, **body: object) -> httpx.Response:
        return self.http.patch(path, json=body)

    def delete(self, path: str, **query: Any) -> httpx.Response:
        return self.http.delete(path, params=query)

    def ask(self, method: str, path: str, room: str = ROOM) -> httpx.Response:
        """Any method, with what it needs."""
        if method in ("GET", "DELETE"):
            return self.http.request(method, path, params={"roomName": room})
        more = {"status": "active"} if method == "PATCH" else {}
        return self.http.request(method, path, json={"roomName": room, **more})


@contextmanager
def asking(url: str, token: str) -> Iterator[Asker]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, verify=False, timeout=30) as http:
        yield Asker(http)


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and kind of an error in the voice API's shape."""
    body = answer.json()
    assert set(body) == {"error", "message", "details"}, body
    assert body["message"]
    return answer.status_code, body["error"]

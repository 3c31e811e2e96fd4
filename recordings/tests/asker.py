"""Who asks about recordings, over real HTTP."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import httpx

from agents.models import Organization
from voiceapp.tests.providers.clerk_instance import ClerkInstance

PATH = "/api/voice/recording"


def token_of(clerk: ClerkInstance, subject: str, organization: Organization | None, *, role: str = "member") -> str:
    if organization is None:
        return clerk.token(subject)
    return clerk.token(subject, o={"id": organization.clerk_id, "rol": role})


class Asker:
    """One credential. Every answer is checked to be JSON."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=url, headers=headers, trust_env=False, verify=False, timeout=30)

    def __enter__(self) -> Asker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, where: TracebackType | None
    ) -> None:
        self.http.close()

    def start(self, **body: object) -> httpx.Response:
        return self.http.post(PATH, json=body)

    def read(self, **query: Any) -> httpx.Response:
        return self.http.get(PATH, params=query)

    def amend(self, **body: object) -> httpx.Response:
        return self.http.patch(PATH, json=body)

    def stop(self, **query: Any) -> httpx.Response:
        return self.http.delete(PATH, params=query)


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and kind of an error in the voice API's shape."""
    body = answer.json()
    assert set(body) == {"error", "message", "details"}, body
    assert body["message"]
    return answer.status_code, body["error"]

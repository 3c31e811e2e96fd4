"""Tests of this app: no commit wakes a real worker."""

from __future__ import annotations

import pytest

from sessions.messages.outbox import outbox
from voiceapp.providers.webhook_receiver import Attempt, WebhookReceiver


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The topics for which the worker would have been woken."""
    topics: list[str] = []
    monkeypatch.setattr(outbox, "wake_up", topics.append)
    return topics


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What would have been posted to endpoints, all of which accept it."""
    posted: list[dict[str, object]] = []

    def post(self: WebhookReceiver, url: str, **what: object) -> Attempt:
        posted.append({"url": url, **what})
        return Attempt({"webhook-id": str(what["webhook_id"])}, duration_ms=5, status=200)

    monkeypatch.setattr(WebhookReceiver, "post", post)
    return posted

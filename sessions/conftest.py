"""Tests of this app: no commit wakes a real worker."""

from __future__ import annotations

import pytest

from sessions.messages.outbox import outbox
from voiceapp.providers.orders_receiver import OrdersReceiver


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The topics for which the worker would have been woken."""
    topics: list[str] = []
    monkeypatch.setattr(outbox, "wake_up", topics.append)
    return topics


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What would have been posted to organizations."""
    posted: list[dict[str, object]] = []

    def post(self: OrdersReceiver, url: str, **what: object) -> None:
        posted.append({"url": url, **what})

    monkeypatch.setattr(OrdersReceiver, "post", post)
    return posted

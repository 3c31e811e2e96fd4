"""Tests of this app: no commit wakes a real worker."""

from __future__ import annotations

import pytest

from sessions.messages.outbox import outbox


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The topics for which the worker would have been woken."""
    topics: list[str] = []
    monkeypatch.setattr(outbox, "wake_up", topics.append)
    return topics

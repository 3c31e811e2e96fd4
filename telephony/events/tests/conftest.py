"""No commit wakes a worker."""

from __future__ import annotations

import pytest

from telephony.events.inbox import inbox


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources for which a worker would have been woken."""
    times: list[str] = []
    monkeypatch.setattr(inbox, "wake_up", times.append)
    return times

"""The simulator of LiveKit and the product behind its webhooks, as for the webhooks' own tests."""

from __future__ import annotations

from telephony.livekit.tests.conftest import livekit, project, woken

__all__ = ["livekit", "project", "woken"]

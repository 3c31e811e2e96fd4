"""Tells the worker that events of LiveKit wait to be worked off."""

from __future__ import annotations

from voiceapp.lib.wake_up import WakeUp

wake_up = WakeUp("telephony.tasks.work_off_events")

"""Tells the worker that events of LiveKit wait to be worked off, or that some may have been missed."""

from __future__ import annotations

from voiceapp.core.jobs.wake_up import WakeUp

wake_up = WakeUp("telephony.tasks.work_off_events")
# LiveKit gives an event up after 15 s to 30 s: what it told while no web process answered has to be asked for.
catch_up = WakeUp("telephony.tasks.catch_up_with_rooms")

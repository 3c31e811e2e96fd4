"""Tells the worker that something waits in the outbox."""

from __future__ import annotations

from voiceapp.lib.wake_up import WakeUp

wake_up = WakeUp("sessions.tasks.deliver_outbox")

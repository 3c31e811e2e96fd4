"""Tells the worker that something waits in the outbox."""

from __future__ import annotations

from voiceapp.core.jobs.wake_up import WakeUp

wake_up = WakeUp("sessions.tasks.deliver_outbox")

"""What the outbox does about recordings: one handler per topic."""

from __future__ import annotations

from recordings.finishing import runs
from recordings.services.automatic import START, start_enqueued
from recordings.services.declining import DECLINE, delete_declined
from recordings.services.reports import STOP
from recordings.services.stopping import stop_unwanted
from sessions.messages.outbox import outbox


def register_all() -> None:
    """Called once, when the app is ready."""
    outbox.register(START, start_enqueued)
    outbox.register(STOP, stop_unwanted)
    outbox.register(DECLINE, delete_declined)
    runs.register()

"""Who keeps the promises of the outbox about recordings."""

from __future__ import annotations

from recordings.models import Recording
from recordings.services.asking import ask_to_stop, look_for
from recordings.services.facts import recording_changed
from recordings.services.undoing import UNDO
from recordings.services.wanted import START, start_promised
from sessions import outbox
from sessions.models import OutboxMessage


def register_all() -> None:
    """Called once, when the app is ready."""
    outbox.register(START, start_promised)
    outbox.register(UNDO, undo)


def undo(message: OutboxMessage) -> None:
    """Stop it if it runs. Raises LiveKitError."""
    recording = Recording.objects.select_related("call").filter(pk=message.body["recording"]).first()
    fact = look_for(recording) if recording else None
    if fact is None or fact.is_over:
        return
    stopped = ask_to_stop(fact.egress_id)
    if stopped:
        recording_changed(stopped)

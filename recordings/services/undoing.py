"""A recording that nobody wants any more, but that LiveKit may have begun: a promise to stop it.

An answer that was lost does not say whether it runs. Nobody shall be recorded without a row that says so.
"""

from __future__ import annotations

from recordings.models import Recording
from sessions.outbox import emit

UNDO = "recording.undo"


def promise_to_undo(recording: Recording) -> None:
    """In the caller's transaction."""
    emit(
        UNDO,
        key=f"recording:{recording.pk}",
        body={"recording": recording.pk},
        organization=recording.call.organization,
    )

"""Replays a webhook that was verified: what is stored of it runs through the same service again. Only in development.

What was redacted when it was stored is gone: webhooks that need it cannot be replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from voiceapp.core.errors import ApplicationError

from .inbox import inbox
from .models import ProviderEvent, Verdict

T = TypeVar("T")
Replay = Callable[[ProviderEvent], None]
# By source, and the beginning of the kind. Registered from above.
replays: dict[tuple[str, str], Replay] = {}
# The same, with the reason why such a webhook cannot be replayed.
obstacles: dict[tuple[str, str], str] = {}

ELSEWHERE = _("Webhooks are replayed only where ENVIRONMENT is dev.")
REFUSED = _("It was refused: nothing of its content is stored.")
UNKNOWN = _("What it carried was not stored.")


def is_dev() -> bool:
    return bool(settings.ENVIRONMENT == "dev")


def obstacle_of(event: ProviderEvent) -> str:
    """Why it cannot be replayed, in a sentence; empty if it can."""
    if not is_dev():
        return str(ELSEWHERE)
    if event.verdict == Verdict.REFUSED:
        return str(REFUSED)
    if _find(replays, event) is not None:
        return ""
    return _find(obstacles, event) or str(UNKNOWN)


def replay_event(event: ProviderEvent) -> str:
    """What came of it, in a sentence. Raises ApplicationError where it cannot be replayed."""
    if why := obstacle_of(event):
        raise ApplicationError(gettext("It cannot be replayed. %(why)s") % {"why": why})
    replay = _find(replays, event)
    if replay is None:
        raise ApplicationError(UNKNOWN)
    replay(event)
    event.refresh_from_db()
    if event.last_error:
        raise ApplicationError(
            gettext("It was replayed, and failed: %(last_error)s.") % {"last_error": event.last_error}
        )
    if event.state == ProviderEvent.State.WAITING:
        return gettext("The event is being processed again by a worker.")
    return gettext("The event was replayed, with what is stored of it.")


def through_the_inbox(event: ProviderEvent) -> None:
    """For events that a worker processes: attempted at once, and like every other one after a failure."""
    rows = ProviderEvent.objects.filter(pk=event.pk)
    with transaction.atomic():
        inbox.retry(rows, also_done=True)
    inbox.process_now(event)


def _find(found: Mapping[tuple[str, str], T], event: ProviderEvent) -> T | None:
    of_source = ((kind, value) for (source, kind), value in found.items() if source == event.source)
    return next((value for kind, value in of_source if event.kind.startswith(kind)), None)

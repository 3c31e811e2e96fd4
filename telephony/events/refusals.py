"""Webhooks that were refused: all are counted (metrics.py), a sample is kept.

A stranger who floods us must not fill the database: of each source the first of each hour are kept, then one a minute,
with how many others there were. The keys of the rows say so across all processes.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone

from voiceapp.core.batches import delete_in_batches

from .models import ProviderEvent, Verdict

logger = structlog.get_logger("webhooks")

KEPT_PER_HOUR = 20
LONGEST_REASON = 100
LONGEST_FACT = 120


@dataclass(frozen=True, slots=True)
class Sample:
    """A refusal that is kept. `place` is its number in the hour; None if the hour is full, and the minute's row is it.

    `others` were refused since the last one that this process kept.
    """

    source: str
    at: dt.datetime
    place: int | None
    others: int


class Sampler:
    """Which refusals this process keeps, by source: in memory, so that a flood costs no query."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_hour: dict[str, tuple[str, int]] = {}
        self._last_minute: dict[str, str] = {}
        self._others: dict[str, int] = {}

    def sample(self, source: str) -> Sample | None:
        """None if it is not kept."""
        now = timezone.now()
        hour, minute = f"{now:%Y%m%d%H}", f"{now:%Y%m%d%H%M}"
        with self._lock:
            of, count = self._in_hour.get(source, ("", 0))
            place = count if of == hour else 0
            if place >= KEPT_PER_HOUR and self._last_minute.get(source) == minute:
                self._others[source] = self._others.get(source, 0) + 1
                return None
            self._in_hour[source] = (hour, place + 1)
            self._last_minute[source] = minute
            others = self._others.pop(source, 0)
        return Sample(source, now, place if place < KEPT_PER_HOUR else None, others)


sampler = Sampler()


def note_refusal(source: str, *, webhook: str, reason: str, request: HttpRequest) -> None:
    """Keep a refusal, if it is to be kept. Never raises: the response does not depend on it."""
    found = sampler.sample(source)
    if found is not None:
        keep_refusal(found, webhook=webhook, reason=reason, facts=facts_of(request))


def keep_refusal(sample: Sample, *, webhook: str, reason: str, facts: Mapping[str, object]) -> None:
    """At most one row for each place of the hour, and one for each minute, whichever process is first."""
    fields = {**facts, "others": sample.others} if sample.others else dict(facts)
    values = {
        "kind": webhook,
        "verdict": Verdict.REFUSED,
        "reason": reason[:LONGEST_REASON],
        "fields": fields,
        "state": ProviderEvent.State.DONE,
        "done_at": sample.at,
    }
    minute = f"refused:{sample.at:%Y%m%d%H%M}"
    keys = [minute] if sample.place is None else [f"refused:{sample.at:%Y%m%d%H}:{sample.place}", minute]
    try:
        for key in keys:
            if ProviderEvent.objects.get_or_create(source=sample.source, dedup_key=key, defaults=values)[1]:
                return
    except DatabaseError:
        logger.exception("refusal not kept", source=sample.source, webhook=webhook)


def facts_of(request: HttpRequest) -> dict[str, object]:
    """What explains a wrong signature. Neither the body nor headers with secrets: a stranger may have sent anything."""
    return {
        "path": _line(request.path),
        "contentType": _line(request.content_type or ""),
        "userAgent": _line(request.headers.get("User-Agent", "")),
        "bytes": _line(request.headers.get("Content-Length", "")),
    }


def purge_refusals() -> int:
    """Delete the old ones; how many there were."""
    kept_since = timezone.now() - dt.timedelta(days=settings.WEBHOOK_LOG_DAYS)
    return delete_in_batches(ProviderEvent.objects.filter(verdict=Verdict.REFUSED, created_at__lt=kept_since))


def _line(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:LONGEST_FACT]

"""Events that a company told us, kept once and worked off later: one at a time per lane, in the order of arrival.

An event is claimed for a while by a guarded update, and each claim counts as a try: one that kills its worker is given
up, too. One that failed is put off and holds nobody up meanwhile, for events may be worked off in any order.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from voiceapp.core.jobs.backoff import wait_before_retry_s
from voiceapp.providers.errors import ProviderError

from .models import ProviderEvent
from .wake_up import wake_up

logger = structlog.get_logger("events")

State = ProviderEvent.State
Worker = Callable[[ProviderEvent], None]

MOST_TRIES = 8
# Within this time of an event's arrival, a wait that the provider names costs it no try.
NAMED_WAITS_FOR = dt.timedelta(hours=24)
# Longer than any event takes: nobody else tries what is being tried.
LEASE = dt.timedelta(seconds=20)
FIRST_WAIT_S = 2
LONGEST_WAIT_S = 600
# Then the next task goes on: no task outlives its time limit.
LONGEST_RUN = dt.timedelta(seconds=20)
LONGEST_KIND = 60
LONGEST_LANE = 128
LONGEST_KEY_PART = 128


def keep_event(source: str, *, key: str, kind: str, lane: str, fields: Mapping[str, object]) -> None:
    """Keep it once, to be worked off. A repeat has the key and the content of an event that is kept: ids are the
    provider's and may come again, so that the same key with another content is another event."""
    event = ProviderEvent(
        source=source,
        dedup_key=key,
        kind=kind[:LONGEST_KIND],
        lane=lane[:LONGEST_LANE],
        fields=dict(fields),
        state=State.WAITING,
    )
    ProviderEvent.objects.bulk_create([event], ignore_conflicts=True)
    kept = ProviderEvent.objects.filter(source=source, dedup_key=key).values("kind", "fields").first()
    if kept is not None and (kept["kind"], kept["fields"]) != (event.kind, event.fields):
        event.dedup_key = _key_with_content(event)
        ProviderEvent.objects.bulk_create([event], ignore_conflicts=True)
    transaction.on_commit(wake_up, robust=True)


def _key_with_content(event: ProviderEvent) -> str:
    content = json.dumps([event.dedup_key, event.kind, event.fields], sort_keys=True)
    return f"{event.dedup_key[:LONGEST_KEY_PART]}~{hashlib.sha256(content.encode()).hexdigest()}"


def work_off(workers: Mapping[str, Worker]) -> int:
    """Every event that is due, of the sources that have a worker, until none is left; how many were done."""
    stop_at = timezone.now() + LONGEST_RUN
    done = 0
    while timezone.now() < stop_at:
        event = _claim_next(list(workers))
        if event is None:
            return done
        done += _try(event, workers[event.source])
    wake_up()
    return done


def work_off_again(events: QuerySet[ProviderEvent]) -> int:
    """Give those that are not processed all their tries again, from now on; how many there were.

    What is being tried at this moment is left to that try.
    """
    now = timezone.now()
    is_free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    revived = (
        events.exclude(state=State.DONE)
        .filter(is_free)
        .update(state=State.WAITING, attempts=0, due_at=now, claimed_until=None)
    )
    transaction.on_commit(wake_up, robust=True)
    return revived


def _claim_next(sources: list[str]) -> ProviderEvent | None:
    while True:
        now = timezone.now()
        candidate = _claimable(now).filter(source__in=sources).order_by("id").first()
        if candidate is None:
            return None
        if candidate.attempts >= MOST_TRIES:
            _bury(candidate, f"gave up after {MOST_TRIES} tries; the last one never returned")
            continue
        until = now + LEASE
        if _claimable(now).filter(pk=candidate.pk).update(claimed_until=until, attempts=F("attempts") + 1):
            candidate.claimed_until = until
            candidate.attempts += 1
            return candidate


def _claimable(now: dt.datetime) -> QuerySet[ProviderEvent]:
    """Due, claimed by nobody, and of its lane nobody works off another one or has one before it that is untried."""
    same_lane = ProviderEvent.objects.filter(source=OuterRef("source"), lane=OuterRef("lane"), state=State.WAITING)
    in_its_way = same_lane.exclude(pk=OuterRef("pk")).filter(
        Q(claimed_until__gt=now) | Q(attempts=0, id__lt=OuterRef("id"))
    )
    return ProviderEvent.objects.filter(
        Q(claimed_until__isnull=True) | Q(claimed_until__lte=now),
        ~Exists(in_its_way),
        state=State.WAITING,
        due_at__lte=now,
    )


def _try(event: ProviderEvent, work: Worker) -> bool:
    try:
        work(event)
    except ProviderError as exc:
        _failed(event, str(exc), named_s=exc.retry_after_s)
        return False
    except Exception as exc:
        # One event's fault must not stop the others.
        logger.exception("event not worked off", source=event.source, event_kind=event.kind, event_id=event.pk)
        _failed(event, f"{type(exc).__name__}: see the log of the worker")
        return False
    _held(event).update(state=State.DONE, worked_at=timezone.now(), claimed_until=None, last_error="")
    return True


def _failed(event: ProviderEvent, error: str, *, named_s: float | None = None) -> None:
    costs_a_try = named_s is None or timezone.now() >= event.received_at + NAMED_WAITS_FOR
    if costs_a_try and event.attempts >= MOST_TRIES:
        _bury(event, error)
        return
    wait_s = wait_before_retry_s(event.attempts, first_s=FIRST_WAIT_S, longest_s=LONGEST_WAIT_S, named_s=named_s)
    due_at = timezone.now() + dt.timedelta(seconds=wait_s)
    tries = event.attempts - (not costs_a_try)
    _held(event).update(claimed_until=None, due_at=due_at, last_error=error[:300], attempts=tries)
    logger.warning("event put off", source=event.source, event_kind=event.kind, attempts=event.attempts, error=error)


def _bury(event: ProviderEvent, error: str) -> None:
    _held(event).update(state=State.DEAD, claimed_until=None, last_error=error[:300])
    logger.error("event given up", source=event.source, event_kind=event.kind, event_id=event.pk, error=error)


def _held(event: ProviderEvent) -> QuerySet[ProviderEvent]:
    """The row, if it is still as it was claimed or seen."""
    return ProviderEvent.objects.filter(
        pk=event.pk, state=State.WAITING, claimed_until=event.claimed_until, attempts=event.attempts
    )

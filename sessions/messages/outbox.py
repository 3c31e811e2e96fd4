"""The outbox: promises written with the deed, kept afterwards, in order per key, until the receiver has answered.

A promise is claimed for a while by a guarded update. Each claim counts as a try, so that one that kills its worker
ends as dead, too. A dead one lets the next of its key go.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from agents.organizations.models import Organization
from voiceapp.core.jobs.backoff import wait_before_retry_s
from voiceapp.providers.errors import ProviderError

from .models import OutboxMessage
from .shared_receiver import SharedReceiver
from .wake_up import wake_up

log = structlog.get_logger(__name__)


class NotConfigured(Exception):
    """Raised by a handler: nobody is named who wants the message. The text says where to name one."""


Handler = Callable[[OutboxMessage], None]
State = OutboxMessage.State

MOST_TRIES = 10
# Within this time of a message's beginning, a wait that the receiver names costs it no try.
NAMED_WAITS_FOR = dt.timedelta(hours=24)
# Longer than any handler takes: nobody else tries what is being tried.
LEASE = dt.timedelta(seconds=30)
FIRST_WAIT_S = 5
LONGEST_WAIT_S = 3600
LONGEST_RUN = dt.timedelta(seconds=20)

# Topic and organization of what failed in this run.
Failed = set[tuple[str, UUID | None]]

_handlers: dict[str, Handler] = {}
_receivers: dict[str, SharedReceiver] = {}


def register(topic: str, handler: Handler, *, receiver: SharedReceiver | None = None) -> None:
    """Name who keeps the promises of a topic: called with a claimed message, raises ProviderError when it failed.

    `receiver`: all messages of the topic go to it, whoever's they are; while it is not to be asked, they wait.
    """
    _handlers[topic] = handler
    _receivers.pop(topic, None)
    if receiver is not None:
        _receivers[topic] = receiver


def emit(topic: str, *, key: str, body: Mapping[str, object], organization: Organization | None) -> OutboxMessage:
    """Write a promise in the caller's transaction; the worker is told once that is committed."""
    message = OutboxMessage.objects.create(topic=topic, key=key, body=dict(body), organization=organization)
    transaction.on_commit(lambda: wake_up(topic), robust=True)
    return message


def deliver_due(topics: Iterable[str] | None = None) -> int:
    """Try every due message of the topics (default: all that have a handler) until none is left; how many were done.

    After a failure the rest of that organization's topic waits for the next run: a receiver that hangs must not hold
    up others. Where all go to one receiver, everybody's waits while it rests.
    """
    wanted = [topic for topic in (_handlers if topics is None else topics) if topic in _handlers]
    stop_at = timezone.now() + LONGEST_RUN
    failed: Failed = set()
    done = 0
    while timezone.now() < stop_at:
        message = _claim_next([topic for topic in wanted if _may_be_tried(topic)], failed)
        if message is None:
            break
        if _try(message):
            done += 1
        elif message.topic not in _receivers:
            failed.add((message.topic, message.organization_id))
    return done


def retry(messages: QuerySet[OutboxMessage]) -> int:
    """Give what is not delivered all its tries again, from now on; how many there were.

    What is being tried at this moment is left to that try.
    """
    now = timezone.now()
    is_free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    revived = (
        messages.exclude(state=State.DONE)
        .filter(is_free)
        .update(state=State.WAITING, attempts=0, due_at=now, claimed_until=None)
    )
    for topic in _handlers:
        transaction.on_commit(lambda topic=topic: wake_up(topic), robust=True)  # type: ignore[misc]
    return revived


def unconfigured_topics() -> set[str]:
    """Topics whose one receiver the settings do not name: their messages wait, and that is no fault."""
    return {topic for topic, receiver in _receivers.items() if not receiver.is_named}


def _may_be_tried(topic: str) -> bool:
    return topic not in _receivers or _receivers[topic].may_be_asked


def _claim_next(topics: list[str], failed: Failed) -> OutboxMessage | None:
    while True:
        now = timezone.now()
        candidates = _claimable(now).filter(topic__in=topics)
        for topic, organization_id in failed:
            is_nobodys = organization_id is None
            whose = Q(organization__isnull=True) if is_nobodys else Q(organization_id=organization_id)
            candidates = candidates.exclude(whose, topic=topic)
        candidate = candidates.order_by("id").first()
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


def _claimable(now: dt.datetime) -> QuerySet[OutboxMessage]:
    """Due, claimed by nobody, and the first of its key that still waits."""
    earlier = OutboxMessage.objects.filter(
        topic=OuterRef("topic"), key=OuterRef("key"), id__lt=OuterRef("id"), state=State.WAITING
    )
    return OutboxMessage.objects.filter(
        Q(claimed_until__isnull=True) | Q(claimed_until__lte=now),
        ~Exists(earlier),
        state=State.WAITING,
        due_at__lte=now,
    )


def _try(message: OutboxMessage) -> bool:
    receiver = _receivers.get(message.topic)
    try:
        _handlers[message.topic](message)
    except NotConfigured as exc:
        reason = f"{exc} The last try: {message.last_error}" if message.last_error else str(exc)
        _held(message).update(state=State.UNCONFIGURED, claimed_until=None, last_error=reason[:300])
        return False
    except ProviderError as exc:
        if receiver is not None and not exc.permanent:
            receiver.failed(retry_after_s=exc.retry_after_s)
        return _failed(message, str(exc), is_hopeless=exc.permanent, named_s=exc.retry_after_s)
    except Exception as exc:
        # One handler's bug must not stop the messages of the others.
        log.exception("outbox_handler_failed", topic=message.topic, message_id=str(message.message_id))
        return _failed(message, type(exc).__name__)
    if receiver is not None:
        receiver.answered()
    _held(message).update(state=State.DONE, done_at=timezone.now(), claimed_until=None, last_error="")
    return True


def _failed(message: OutboxMessage, error: str, *, is_hopeless: bool = False, named_s: float | None = None) -> bool:
    costs_a_try = named_s is None or timezone.now() >= message.created_at + NAMED_WAITS_FOR
    if is_hopeless or (costs_a_try and message.attempts >= MOST_TRIES):
        _bury(message, error)
    else:
        _put_off(message, error, named_s, costs_a_try=costs_a_try)
    return False


def _put_off(message: OutboxMessage, error: str, named_s: float | None, *, costs_a_try: bool) -> None:
    wait_s = wait_before_retry_s(message.attempts, first_s=FIRST_WAIT_S, longest_s=LONGEST_WAIT_S, named_s=named_s)
    due_at = timezone.now() + dt.timedelta(seconds=wait_s)
    tries = message.attempts - (not costs_a_try)
    _held(message).update(claimed_until=None, due_at=due_at, last_error=error[:300], attempts=tries)
    log.warning("outbox_put_off", topic=message.topic, message_id=str(message.message_id), attempts=message.attempts)


def _bury(message: OutboxMessage, error: str) -> None:
    _held(message).update(state=State.DEAD, claimed_until=None, last_error=error[:300])
    log.error("outbox_message_dead", topic=message.topic, message_id=str(message.message_id), error=error[:300])


def _held(message: OutboxMessage) -> QuerySet[OutboxMessage]:
    """The row, if it is still in the state in which it was claimed or seen."""
    return OutboxMessage.objects.filter(
        pk=message.pk, state=State.WAITING, claimed_until=message.claimed_until, attempts=message.attempts
    )

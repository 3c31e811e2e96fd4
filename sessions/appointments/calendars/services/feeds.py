"""Feeds: secret addresses that are shown once, and what they contain."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from agents.organizations.models import Organization
from agents.organizations.services import digest
from agents.resources.models import Resource
from sessions.appointments.calendars.events import event_of
from sessions.appointments.calendars.models import CalendarFeed
from sessions.appointments.models import Appointment
from voiceapp.core.errors import ApplicationError
from voiceapp.core.ical.writing import write_feed

PAST, AHEAD = dt.timedelta(days=30), dt.timedelta(days=366)
MOST_EVENTS = 10_000
USE_IS_NOTED_EVERY = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class IssuedFeed:
    """A feed with its address, which nothing can show again."""

    feed: CalendarFeed
    address: str


def issue_feed(
    organization: Organization,
    *,
    name: str,
    resource: Resource | None = None,
    shows_customers: bool = True,
    by: str = "",
) -> IssuedFeed:
    secret = secrets.token_urlsafe(32)
    feed = CalendarFeed.objects.create(
        organization=organization,
        resource=resource,
        name=name,
        shows_customers=shows_customers,
        secret_sha256=digest(secret),
        created_by=by,
    )
    return IssuedFeed(feed, _address(secret))


def renew_feed(feed: CalendarFeed) -> IssuedFeed:
    """A new address; the one before stops working at once. Raises ApplicationError for a revoked feed."""
    secret = secrets.token_urlsafe(32)
    usable = CalendarFeed.objects.filter(pk=feed.pk, revoked_at=None)
    if not usable.update(secret_sha256=digest(secret), renewed_at=timezone.now()):
        raise ApplicationError(gettext("This feed is revoked. Make a new one."))
    feed.refresh_from_db()
    return IssuedFeed(feed, _address(secret))


def revoke_feed(feed: CalendarFeed) -> None:
    CalendarFeed.objects.filter(pk=feed.pk, revoked_at=None).update(revoked_at=timezone.now())
    feed.refresh_from_db()


def find_feed(secret: str) -> CalendarFeed | None:
    """The feed of that secret, if it is not revoked; its use is noted."""
    usable = CalendarFeed.objects.filter(revoked_at=None).select_related("organization", "resource")
    feed = usable.filter(secret_sha256=digest(secret)).first()
    if feed is not None:
        now = timezone.now()
        before = now - USE_IS_NOTED_EVERY
        if feed.last_used_at is None or feed.last_used_at <= before:
            unnoted = CalendarFeed.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=before), pk=feed.pk)
            with transaction.atomic():
                unnoted.update(last_used_at=now)
    return feed


def feed_version(feed: CalendarFeed) -> str:
    """Changes whenever `feed_text` does: subscribers fetch often, and writing a year of events takes long."""
    organization = feed.organization
    newest = _appointments(feed).aggregate(number=Count("pk"), newest=Max("updated_at"))
    names = Resource.objects.filter(organization_id=feed.organization_id).order_by("position", "pk")
    parts = (
        feed.pk, feed.secret_sha256, feed.shows_customers, organization.name, organization.time_zone, _first_day(),
        newest["number"], newest["newest"], list(names.values_list("pk", "name")),
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def feed_text(feed: CalendarFeed) -> bytes:
    """The appointments of the last 30 days and of the year ahead, canceled ones included, for subscribers keep them."""
    organization = feed.organization
    resources = Prefetch("resources", Resource.objects.order_by("position", "pk"))
    rows = _appointments(feed).prefetch_related(resources).order_by("starts_at", "number")
    events = [
        event_of(row, resources=row.resources.all(), shows_customer=feed.shows_customers) for row in rows[:MOST_EVENTS]
    ]
    name = f"{organization}: {feed.resource}" if feed.resource is not None else str(organization)
    return write_feed(events, name=name, time_zone=organization.time_zone)


def _appointments(feed: CalendarFeed) -> QuerySet[Appointment]:
    first_day = _first_day()
    rows = Appointment.objects.filter(
        organization_id=feed.organization_id, starts_at__gte=first_day, starts_at__lt=first_day + PAST + AHEAD
    )
    return rows if feed.resource_id is None else rows.filter(booked__resource_id=feed.resource_id)


def _first_day() -> dt.datetime:
    """The same all day long."""
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - PAST


def _address(secret: str) -> str:
    return f"{settings.PUBLIC_BASE_URL}{reverse('calendar-feed', args=(secret,))}"

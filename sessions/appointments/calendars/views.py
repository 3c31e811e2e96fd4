"""`GET /calendar/<secret>.ics`: the feed that calendar programs fetch again and again."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from sessions.appointments.calendars.services.feeds import feed_text, feed_version, find_feed
from voiceapp.core.api.errors import ApiError
from voiceapp.core.limits.counting import CountersUnavailable, count
from voiceapp.core.limits.credentials import count_wrong_credential
from voiceapp.core.limits.limit import CALENDAR_FEED
from voiceapp.core.limits.views import USAGE

SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
CALENDAR = "text/calendar; charset=utf-8"


@require_safe
def calendar_feed(request: HttpRequest, secret: str) -> HttpResponse:
    """404 for an unknown, a revoked and a renewed address alike. The secret is in no log."""
    feed = find_feed(secret) if SECRET.fullmatch(secret) else None
    try:
        if feed is None:
            count_wrong_credential(request)
            return _plain(404, "There is no such calendar.")
        if (wait_s := _wait_s(request, feed.pk)) is not None:
            response = _plain(429, "Fetched too often.")
            response["Retry-After"] = str(wait_s)
            return response
    except ApiError as exc:
        return _plain(exc.status_code, str(exc.detail))
    etag = f'"{feed_version(feed)}"'
    conditional = get_conditional_response(request, etag=etag)
    response = conditional or HttpResponse(feed_text(feed), content_type=CALENDAR)
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def _wait_s(request: HttpRequest, feed_id: int) -> int | None:
    """How long to wait, if the feed is fetched too often. By feed: many subscribers share a provider's address."""
    try:
        usage = count(CALENDAR_FEED, f"feed:{feed_id}")
    except CountersUnavailable:
        return None
    request.META[USAGE] = usage
    return usage.retry_after_s if usage.is_exceeded else None


def _plain(status: int, text: str) -> HttpResponse:
    response = HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response

"""The search of the list of calls for what was said."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents.organizations.access import access_of
from agents.organizations.principal import Principal
from agents.organizations.roles import Area
from sessions.calls.models import TranscriptLine
from sessions.calls.search.marking import excerpt_of
from sessions.calls.search.queries import first_hits, read_typed, said_in_call
from sessions.calls.search.serializers import play_path
from sessions.calls.search.typed import Search, SearchRefused

from .display import offset_text


def search_of(request: HttpRequest) -> Search | None:
    """What the list was searched for, if words can be made of it. Read once per request."""
    known: dict[str, Search | None] = request.__dict__.setdefault("_call_search", {})
    typed = request.GET.get(SEARCH_VAR, "").strip()
    if typed not in known:
        try:
            known[typed] = read_typed(_principal(request), typed) if typed else None
        except SearchRefused as exc:
            messages.warning(request, str(exc))
            known[typed] = None
    return known[typed]


def was_said(request: HttpRequest) -> Q:
    """Calls in which what the list was searched for was said; none without such a search."""
    search = search_of(request)
    return Q(pk__in=()) if search is None else said_in_call(_principal(request), search)


def hits_of_page(request: HttpRequest, call_ids: Collection[UUID]) -> dict[UUID, SafeString]:
    """Of each call the first sentence that was found, as a link that plays it. One query where words were searched."""
    search = search_of(request)
    if search is None:
        return {}
    hits = first_hits(_principal(request), search, call_ids)
    return {call_id: _shown(line, search) for call_id, line in hits.items()}


def _shown(line: TranscriptLine, search: Search) -> SafeString:
    at, who = offset_text(line.spoken_at_ms), line.get_speaker_display()
    sentence = excerpt_of(line.text, search).html
    link = '<a class="va-link va-hit" href="{}" title="Play from here">{} {}: {}</a>'
    return format_html(link, play_path(line), at, who, sentence)


def _principal(request: HttpRequest) -> Principal:
    return access_of(request).principal(Area.CALLS)

"""`/api/voice/search`: finds what was said on calls (docs/reference/search.md)."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.api import CustomerView
from voiceapp.core.api.openapi import errors, samples
from voiceapp.core.api.samples import Sample
from voiceapp.core.limits.limit import READ

from .queries import find_lines, read_typed
from .serializers import FoundHits, SearchQuery, SearchResponse, hits_of
from .typed import SearchRefused


class SearchView(CustomerView):
    scope_area = "calls"
    limits = {"GET": READ}

    @extend_schema(
        operation_id="searchTranscripts",
        tags=["Calls"],
        summary="Search what was said on calls",
        description="Lines of the transcripts of all your organization's calls that have all the words, the newest "
        "first. Case, accents and the notation of numbers do not matter.",
        parameters=[SearchQuery],
        responses={
            200: SearchResponse,
            **errors(SearchQuery.invalid({"q": ["Search for at least one word or number."]})),
        },
        extensions=samples(Sample("Search", query={"q": "margherita", "limit": "5"})),
    )
    def get(self, request: Request) -> Response:
        query, principal = SearchQuery.of_query(request), self.principal
        try:
            search = read_typed(principal, query["q"])
        except SearchRefused as exc:
            raise SearchQuery.invalid({"q": [str(exc)]}).error() from exc
        found = find_lines(principal, search, limit=query["limit"], before=query.get("before"))
        return Response(SearchResponse(FoundHits(hits_of(found, search), found.before)).data)

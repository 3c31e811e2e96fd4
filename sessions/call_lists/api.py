"""`/api/voice/calls`: the list of calls with its filters (docs/reference/call-lists.md)."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.api import CustomerView
from voiceapp.core.api.openapi import errors, samples
from voiceapp.core.api.samples import Sample
from voiceapp.core.limits.limit import READ

from .filter_form import CallFilterForm
from .paging import CursorRefused, page_of_calls
from .serializers import FILTERS, CallsQuery, CallsResponse


class CallsView(CustomerView):
    scope_area = "calls"
    limits = {"GET": READ}

    @extend_schema(
        operation_id="listCalls",
        tags=["Calls"],
        summary="List calls",
        description="Your organization's calls, by phone, in browsers and in rooms, the newest first; narrowed by the "
        "filters of the admin's list. Pages are continued by `cursor`.",
        parameters=[CallsQuery],
        responses={200: CallsResponse, **errors(CallsQuery.invalid({"since": ["Write the date like 2026-12-24."]}))},
        extensions=samples(Sample("List", query={"outcome": "order", "period": "7d", "limit": "5"})),
    )
    def get(self, request: Request) -> Response:
        query, principal = CallsQuery.of_query(request), self.principal
        typed = {name: str(request.query_params[name]) for name in FILTERS if name in query}
        form = CallFilterForm(typed, principal=principal)
        wanted = form.wanted
        if form.errors:
            raise CallsQuery.invalid({name: list(messages) for name, messages in form.errors.items()}).error()
        try:
            page = page_of_calls(principal, wanted, limit=query["limit"], cursor=query.get("cursor", ""))
        except CursorRefused as exc:
            raise CallsQuery.invalid({"cursor": [str(exc)]}).error() from exc
        return Response(CallsResponse(page).data)

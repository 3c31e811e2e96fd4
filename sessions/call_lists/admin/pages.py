"""The pages behind the list of calls: export, saved views, end reasons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext

from agents.organizations.access import access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area, Power
from agents.tenant_admin.downloads import streamed_file
from agents.tenant_admin.tenant import ReadOnlyAdmin
from sessions.call_lists.exporting import lines_of
from sessions.call_lists.models import SavedView
from sessions.call_lists.queries import NAMES, has_blanks, without_blanks
from sessions.call_lists.services import NoSuchView, delete_view, save_view, set_default
from sessions.calls.end_reasons import EXPLANATIONS, REFUSED_FOR
from sessions.calls.models import Call
from sessions.exports.models import Export
from sessions.exports.queries import kept_query
from sessions.exports.services import begin_export
from voiceapp.core.errors import ApplicationError

from .filters import VIEW, CallFilters
from .tools import default_view, may_change, view_link, visible_views

TYPES = {Export.Format.CSV: "text/csv; charset=utf-8", Export.Format.JSON: "application/json"}


class CallListPages(ReadOnlyAdmin[Call]):
    """Mixed into the admin of calls."""

    list_filter = (CallFilters,)
    list_filter_submit = True
    show_facets = ShowFacets.NEVER
    list_before_template = "admin/calls/above_list.html"

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return list(self.list_filter)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in NAMES or lookup == VIEW or super().lookup_allowed(lookup, value, request)

    def get_urls(self) -> list[URLPattern]:
        name = "voice_sessions_call"
        return [
            path("end-reasons/", self.page(self.end_reasons), name=f"{name}_end_reasons"),
            path("export/", self.page(self.export), name=f"{name}_export"),
            path("views/", self.page(self.save_view), name=f"{name}_save_view"),
            path("views/<int:view_id>/<slug:action>/", self.page(self.change_view_of_list), name=f"{name}_view"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Without the empty fields of the form in the address, and with the default view where nothing is asked for."""
        if request.method == "GET" and has_blanks(request.GET):
            kept = without_blanks(request.GET)
            return HttpResponseRedirect(f"?{kept}" if kept else f"?{VIEW}=all")
        if request.method == "GET" and not request.GET and self.has_view_permission(request):
            view = default_view(request)
            if view is not None:
                return HttpResponseRedirect(view_link(view))
        return super().changelist_view(request, extra_context)

    # Pages

    def end_reasons(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("End reasons"),
            "reasons": [(reason, each) for reason, each in EXPLANATIONS.items()],
            "refused_for": REFUSED_FOR.values(),
            "list": self._list_path(),
        }
        return TemplateResponse(request, "admin/calls/end_reasons.html", context)

    def export(self, request: HttpRequest) -> HttpResponse:
        """The filtered list as a file, sent while it is read."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        query, file_format = request.POST.get("query", ""), request.POST.get("format", "")
        if file_format not in Export.Format.values:
            raise Http404("There is no such format.")
        try:
            calls = self._listed(request, query)
        except (ApplicationError, IncorrectLookupParameters, SuspiciousOperation) as exc:
            message = (
                str(exc) if isinstance(exc, ApplicationError) else gettext("The list cannot be filtered like this.")
            )
            messages.error(request, gettext("Nothing was exported. %(message)s") % {"message": message})
            return HttpResponseRedirect(f"{self._list_path()}?{query}" if query else self._list_path())
        access = access_of(request)
        log = begin_export(
            calls,
            kind=Export.Kind.CALLS,
            by=request.user.get_username(),
            way=Export.Way.LIST,
            file_format=file_format,
            query=query,
            has_numbers=any(map(access.sees_numbers_of, access.organizations(Area.CALLS))) or access.sees_all,
        )
        lines = lines_of(calls, file_format, sees_numbers=access.sees_numbers_of, log=log)
        name = f"calls-{timezone.localtime():%Y-%m-%d-%H%M}.{file_format}"
        return streamed_file(lines, name=name, content_type=TYPES[Export.Format(file_format)])

    def _listed(self, request: HttpRequest, query: str) -> QuerySet[Call]:
        """The calls of the list with that query, searched and filtered as there. Raises what the list would refuse."""
        vars(request)["GET"] = QueryDict(kept_query(query))
        listed = self.get_changelist_instance(request)
        refusals = [
            each for spec in listed.filter_specs if isinstance(spec, CallFilters) for each in spec.form.refusals()
        ]
        if refusals:
            raise ApplicationError(" ".join(refusals))
        calls: QuerySet[Call] = listed.queryset
        return calls

    # Saved views

    def save_view(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        query = request.POST.get("query", "")
        try:
            view = save_view(
                request.user,  # type: ignore[arg-type]  # signed in: the admin lets nobody else in
                name=request.POST.get("name", ""),
                query=query,
                organization=self._shared_with(request),
                is_default="is_default" in request.POST,
            )
        except ApplicationError as exc:
            messages.error(request, gettext("The view was not saved. %(exc)s") % {"exc": exc})
            return HttpResponseRedirect(f"{self._list_path()}?{query}" if query else self._list_path())
        messages.success(request, gettext("The view “%(view)s” was saved.") % {"view": view})
        return HttpResponseRedirect(self._list_path() + view_link(view))

    def _shared_with(self, request: HttpRequest) -> Organization | None:
        wanted = request.POST.get("share", "")
        if not wanted:
            return None
        editable = Organization.objects.visible_to(access_of(request).principal(Area.CALLS, Power.EDIT))
        found = next((each for each in editable if str(each.pk) == wanted), None)
        if found is None:
            raise ApplicationError(gettext("You may not share views with this organization. An owner or manager may."))
        return found

    def change_view_of_list(self, request: HttpRequest, view_id: int, action: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        change = CHANGES.get(action)
        if change is None or not self.has_view_permission(request):
            raise Http404("There is no such action.")
        view = next((each for each in visible_views(request) if each.pk == view_id), None)
        if view is None or not may_change(request, view):
            messages.error(request, NoSuchView.message)
        else:
            messages.success(request, change(view))
        return HttpResponseRedirect(f"{self._list_path()}?{VIEW}=all")


def _delete(view: SavedView) -> str:
    delete_view(view)
    return gettext("The view “%(view)s” was deleted.") % {"view": view}


def _make_default(view: SavedView) -> str:
    set_default(view, is_default=True)
    return gettext("The list now opens with “%(view)s”.") % {"view": view}


def _make_no_default(view: SavedView) -> str:
    set_default(view, is_default=False)
    return gettext("The list now opens with all calls.")


CHANGES: dict[str, Callable[[SavedView], str]] = {
    "delete": _delete,
    "default": _make_default,
    "no-default": _make_no_default,
}

"""The list of calls, and the page of one."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.hours.local_time import when_of
from agents.organizations.access import Access, access_of
from agents.organizations.roles import Area, Power
from agents.tenant_admin.dates import DatedList, with_dates
from agents.tenant_admin.number_search import NumberSearch
from agents.tenant_admin.theme import ChangeList, display
from sessions.call_lists.admin.filters import VIEW, CallFilters, sees_all_numbers
from sessions.call_lists.admin.pages import CallListPages
from sessions.call_lists.admin.tools import ALL_CALLS, ListTools, read_tools
from sessions.call_lists.figures import CallFigures, read_figures
from sessions.call_lists.outcomes import CallOutcome, outcomes_of
from sessions.calls.masked_numbers import dialed_number, masked_in
from sessions.calls.models import Call, CallKind, CallState
from voiceapp.core.phones.numbers import CallerKind, mask, read_caller

from .call_page import read_call
from .display import (
    CALL_COLORS,
    ORDER_COLORS,
    cost_text,
    duration_text,
    end_reason_text,
    is_price_missing,
    median_ms,
    response_text,
)
from .latency_bars import PARTS
from .player import wanted_of
from .said import hits_of_page, search_of, was_said

# Of a search in one way.
MOST_FOUND = 1000
PART_OF_NAME = re.compile(r"[\d_.+-]")
WHOLE_NAMES = ("caller_number", "carrier_sid", "room_name")
# The beginning of an id, by which people look for a call that a log names.
BEGINNING_OF_ID = re.compile(r"[0-9a-f]{6,32}")


class CallList(DatedList):
    """Reads what the calls on the page brought in a fixed number of queries, whatever their number."""

    tools: ListTools

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Call]:
        """Without joins, which would keep SQLite from reading the newest calls by their index."""
        found = super().get_queryset(request, exclude_parameters).select_related(None)
        is_filtered = bool(self.get_filters_params()) and not self.query
        began = few_began(found) if is_filtered else None
        if began is None:
            return with_dates(found)
        return with_dates(among(self.root_queryset, began).order_by(*found.query.order_by), began.values())

    def get_results(self, request: HttpRequest) -> None:
        """The keys of the page first: an index has all that they are filtered and ordered by."""
        super().get_results(request)
        ids = list(self.result_list.values_list("pk", flat=True))
        rows = Call.objects.defer("metadata").prefetch_related("agent", "organization").in_bulk(ids)
        calls = [rows[each] for each in ids if each in rows]
        figures, said = read_figures(ids), hits_of_page(request, ids)
        outcomes = outcomes_of(calls)
        for call in calls:
            listed = Listed(figures[call.pk], outcomes[call.pk], said.get(call.pk, "–"))
            setattr(call, "listed", listed)  # noqa: B010 - no attribute of a call's
        self.result_list = calls
        self.clear_all_filters_qs = f"?{VIEW}={ALL_CALLS}"
        self.tools = read_tools(request, next(each for each in self.filter_specs if isinstance(each, CallFilters)))


def few_began(found: QuerySet[Call]) -> dict[UUID, dt.datetime] | None:
    """When these calls began, None if they are many.

    Few are found once: the list counts, pages and dates them, each of which would look at every call anew. Of many,
    each finds some soon.
    """
    began = dict(found.order_by("-created_at", "-pk").values_list("pk", "created_at")[: MOST_FOUND + 1])
    return began if len(began) <= MOST_FOUND else None


def among(calls: QuerySet[Call], began: Mapping[UUID, dt.datetime]) -> QuerySet[Call]:
    """These of the calls. The times tell PostgreSQL where to look for the oldest of them, and for further days."""
    if not began:
        return calls.none()
    return calls.filter(pk__in=began, created_at__range=(min(began.values()), max(began.values())))


@dataclass(frozen=True, slots=True)
class Listed:
    """What the list shows of a call besides its own columns."""

    figures: CallFigures
    outcomes: Sequence[CallOutcome] = ()
    said: str = "–"


def listed_of(call: Call) -> Listed:
    found = getattr(call, "listed", None)
    return found if isinstance(found, Listed) else Listed(CallFigures())


@admin.register(Call)
class CallAdmin(NumberSearch[Call], CallListPages):
    """Calls are records and are not edited."""

    area = Area.CALLS
    list_display = (
        "started",
        "state_label",
        "end_reason_label",
        "caller",
        "organization",
        "agent",
        "duration",
        "turns",
        "response",
        "outcome",
        "order_total",
        "cost",
    )
    list_display_links = ("started",)
    # What links of other pages filter by.
    linkable = (
        "state", "end_reason", "agent", "kind", "organization", "agent_version", "connected_at", "created_at__hour",
        "dialed_number__exact",
    )  # fmt: skip
    list_select_related = ("agent", "organization")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    change_form_template = "admin/call_page.html"
    fields = ("state",)
    number_fields = ("caller_number", "dialed_number")
    search_help_text = _('Numbers, IDs, or what was said: pizza funghi, "no onions", hawai*')

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CallList

    def sees_numbers(self, request: HttpRequest) -> bool:
        return sees_all_numbers(request)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Users who see masked numbers can search for a whole number, not digit by digit.

        Numbers, SIDs and names of rooms are searched by their parts, which takes a look at every call.
        """
        # Digits have no case, which PostgreSQL would change in every column of every call.
        has_case = any(each.isalpha() for each in request.GET.get(SEARCH_VAR, ""))
        part = "icontains" if has_case else "contains"
        number = part if self.sees_numbers(request) else "exact"
        return (f"caller_number__{number}", f"dialed_number__{part}", f"carrier_sid__{part}", f"room_name__{part}")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Call], search_term: str
    ) -> tuple[QuerySet[Call], bool]:
        """Read once: the list counts, pages and dates what was found, each of which would search anew."""
        found, has_duplicates = super().get_search_results(request, queryset, search_term)
        if not search_term:
            return found, has_duplicates
        # A plain word is compared with whole names, each by its index.
        named = [queryset.filter(**{name: search_term}) for name in WHOLE_NAMES]
        searches = [found] if PART_OF_NAME.search(search_term) else named
        began: dict[UUID, dt.datetime] = {}
        for each in (*searches, queryset.filter(was_said(request)), queryset.filter(_with_id(search_term))):
            began |= dict(each.order_by("-created_at").values_list("pk", "created_at")[:MOST_FOUND])
        if len(began) >= MOST_FOUND:
            messages.info(
                request,
                gettext("More than %(most_found)s calls were found: the newest are shown. Filters narrow them.")
                % {"most_found": f"{MOST_FOUND:,}"},
            )
        return among(queryset, began), False

    @display(description=_("started"), ordering="created_at")
    def started(self, call: Call) -> str:
        return format_html('<span class="va-nowrap">{}</span>', when_of(call, call.created_at))

    @display(description=_("state"), ordering="state", label=CALL_COLORS)
    def state_label(self, call: Call) -> tuple[str, str]:
        return call.state, call.get_state_display()

    @display(description=_("end reason"), ordering="end_reason")
    def end_reason_label(self, call: Call) -> str:
        if not call.end_reason:
            return end_reason_text(call)
        return format_html('<a class="va-link" href="{}">{}</a>', reason_url(call), end_reason_text(call))

    @display(description=_("outcome"))
    def outcome(self, call: Call) -> str:
        return ", ".join(str(each.label) for each in listed_of(call).outcomes) or "–"

    @display(description=_("caller"))
    def caller(self, call: Call) -> str:
        """Masked; the list shows the whole number to those who may read it."""
        return shown_number(call, sees=False)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The caller's number as this user may read it: a column made for the request."""
        access = access_of(request)

        @display(description=gettext("caller"), ordering="caller_number")
        def caller(call: Call) -> str:
            return shown_number(call, sees=access.sees_numbers_of(call.organization_id))

        shown = [caller if each == "caller" else each for each in super().get_list_display(request)]
        return [shown[0], "said", *shown[1:]] if search_of(request) else shown

    @display(description=_("said"))
    def said(self, call: Call) -> str:
        """The sentence that the search found, and a link to the second at which it was said."""
        return listed_of(call).said

    @display(description=_("duration"))
    def duration(self, call: Call) -> str:
        return duration_text(call.duration_s)

    @display(description=_("turns"))
    def turns(self, call: Call) -> int:
        return len(listed_of(call).figures.response_times)

    @display(description=_("response time"), ordering="slowest_response_ms")
    def response(self, call: Call) -> str:
        """The median of the turns, and the slowest, by which the list is filtered and ordered."""
        median = response_text(median_ms(listed_of(call).figures.response_times))
        if call.slowest_response_ms is None:
            return median
        slowest = response_text(call.slowest_response_ms)
        return format_html(
            '<span class="va-nowrap">{}</span> <span class="va-hint va-nowrap">slowest {}</span>', median, slowest
        )

    @display(description=_("order"))
    def order_total(self, call: Call) -> str:
        figures = listed_of(call).figures
        if figures.total is None:
            return "–"
        return format_html('<span class="va-nowrap">{} {}</span>', f"{figures.total:.2f}", figures.currency)

    @display(description=_("cost"), ordering="cost_usd")
    def cost(self, call: Call) -> str:
        return cost_text(call)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Call]:
        return super().get_queryset(request).select_related("agent", "organization", "agent_version__agent")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        call = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if call is not None:
            sees = access_of(request).sees_numbers_of(call.organization_id)
            page = read_call(call, caller=shown_number(call, sees=sees), sees=sees, wanted=wanted_of(request.GET))
            plays = may_play(access_of(request), call)
            context = {
                "page": page,
                "caller_number": call.caller_number if sees else "",
                "dialed_number": dialed_number(call, sees=sees),
                "callee": call.callee if sees else masked_in(call.callee),
                "duration": duration_text(call.duration_s),
                "cost": cost_text(call),
                "lacks_price": is_price_missing(call),
                "state_color": CALL_COLORS[CallState(call.state)],
                "order_colors": ORDER_COLORS,
                "may_make_scenario": may_make_scenario(access_of(request), call),
                # What the caller said is said to another version, which costs what a call costs.
                "may_replay": page.player is not None and may_make_scenario(access_of(request), call),
                "may_listen": self.has_power(request, Power.OPERATE, call),
                "may_play": plays,
                "may_play_here": plays and page.player is not None,
                "parts": PARTS,
                "reason_url": reason_url(call),
                "subtitle": None,
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})


def reason_url(call: Call) -> str:
    """What its end reason means, and what to do about it."""
    return f"{reverse('admin:voice_sessions_call_end_reasons')}#{call.end_reason}"


def may_make_scenario(access: Access, call: Call) -> bool:
    """Whether this user may have the agent tried out with what the caller said."""
    return not call.is_live and call.agent_id is not None and access.may(Area.AGENTS, Power.EDIT, call.organization_id)


def may_play(access: Access, call: Call) -> bool:
    """Whether this user may listen to the call's recordings."""
    if call.organization_id is None:
        return access.sees_all
    return access.may(Area.RECORDINGS, Power.OPERATE, call.organization_id)


def files_of(call: Call) -> QuerySet[Any]:
    """The recordings of the conversation that can be heard."""
    return call.recordings.filter(state__in=("stored", "cut_short"), size_bytes__gt=0, voicemail__isnull=True)


def hear_url(access: Access, call: Call | None) -> str:
    """The page of the call, if this user may listen to it there; empty where there is nothing to hear."""
    if call is None or not access.may(Area.CALLS, Power.VIEW, call.organization_id) or not may_play(access, call):
        return ""
    return reverse("admin:voice_sessions_call_change", args=(call.pk,)) if files_of(call).exists() else ""


def shown_number(call: Call, *, sees: bool) -> str:
    """A call into a room or from a browser has no number: its type is shown instead."""
    if call.kind == CallKind.ROOM:
        return call.get_call_type_display()
    if call.kind == CallKind.BROWSER:
        return call.get_kind_display()
    caller = read_caller(call.caller_number)
    return caller.label if sees or caller.kind is CallerKind.HIDDEN else mask(call.caller_number)


def _with_id(typed: str) -> Q:
    """A range of the key, by its index. SQLite keeps a UUID without dashes; people paste it with them."""
    begins = typed.strip().lower().replace("-", "")
    if not (BEGINNING_OF_ID.fullmatch(begins) and PART_OF_NAME.search(typed)):
        return Q(pk__in=())
    return Q(pk__range=(UUID(begins.ljust(32, "0")), UUID(begins.ljust(32, "f"))))


def call_link(call: Call | None) -> str:
    """A link to a record's call, by its time in the zone of its organization."""
    if call is None:
        return "–"
    url = reverse("admin:voice_sessions_call_change", args=(call.pk,))
    return format_html('<a class="va-link" href="{}">{}</a>', url, when_of(call, call.created_at))

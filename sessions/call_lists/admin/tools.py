"""What stands above the list of calls: its filters in words, saved views, and exports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest
from django.utils import formats

from agents.organizations.access import access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area, Power
from sessions.call_lists.models import LONGEST_NAME, SavedView
from sessions.exports.queries import NOT_KEPT, QueryTooLong, kept_query

from .filters import VIEW, CallFilters

# In the place of a view: the list without one, although another is the default.
ALL_CALLS = "all"


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in words, and the list without it."""

    label: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class ShownView:
    view: SavedView
    link: str
    is_open: bool
    may_change: bool


@dataclass(frozen=True, slots=True)
class ListTools:
    """Everything the template shows."""

    query: str
    chips: Sequence[Chip]
    refusals: Sequence[str]
    views: Sequence[ShownView]
    opened: ShownView | None
    shares_with: Sequence[Organization]
    all_calls: str = f"?{VIEW}={ALL_CALLS}"
    longest_name: int = LONGEST_NAME

    @property
    def is_narrowed(self) -> bool:
        return bool(self.query)


def read_tools(request: HttpRequest, spec: CallFilters) -> ListTools:
    """Two queries."""
    query = _kept(request)
    views = list(_views(request, query, spec.view))
    return ListTools(
        query=query,
        chips=[*_chips(request, spec)],
        refusals=spec.form.refusals(),
        views=views,
        opened=next((each for each in views if each.is_open), None),
        shares_with=shared_with(request) if query else (),
    )


def shared_with(request: HttpRequest) -> Sequence[Organization]:
    """The organizations with which the user may share a view."""
    return list(Organization.objects.visible_to(access_of(request).principal(Area.CALLS, Power.EDIT)).order_by("name"))


def default_view(request: HttpRequest) -> SavedView | None:
    """With which the list opens: one's own before a shared one."""
    views = [view for view in visible_views(request) if view.is_default]
    return min(views, key=lambda view: view.is_shared, default=None)


def visible_views(request: HttpRequest) -> Sequence[SavedView]:
    """Read once per request."""
    known: Sequence[SavedView] | None = request.__dict__.get("_call_views")
    if known is None:
        seen = SavedView.objects.visible_to(access_of(request).principal(Area.CALLS))
        known = request.__dict__.setdefault("_call_views", list(seen.select_related("organization", "user")))
    return known


def view_link(view: SavedView) -> str:
    return f"?{view.query}&{VIEW}={view.pk}" if view.query else f"?{VIEW}={view.pk}"


def may_change(request: HttpRequest, view: SavedView) -> bool:
    """One's own; a shared one who may share."""
    access = access_of(request)
    if view.organization_id is None:
        return str(view.user_id) == access.subject
    return access.may(Area.CALLS, Power.EDIT, view.organization_id)


def _views(request: HttpRequest, query: str, opened: str) -> Iterator[ShownView]:
    for view in visible_views(request):
        is_open = str(view.pk) == opened and view.query == query
        yield ShownView(view, view_link(view), is_open, may_change(request, view))


def _kept(request: HttpRequest) -> str:
    try:
        return kept_query(request.GET.urlencode())
    except QueryTooLong:
        return ""


def _chips(request: HttpRequest, spec: CallFilters) -> Iterator[Chip]:
    known: Mapping[str, object] = spec.wanted
    for name, values in request.GET.lists():
        if name in NOT_KEPT or name in ("q", "o") or not values[-1] or (name in spec.form.fields and name not in known):
            continue
        field = spec.form.fields.get(name)
        label = str(field.label) if field else name.replace("__exact", "").replace("__", " ").replace("_", " ")
        yield Chip(label, _text(field, known.get(name, values[-1])), _without(request, name))


def _text(field: forms.Field | None, value: object) -> str:
    if isinstance(field, forms.ChoiceField):
        choices: Iterable[Any] = field.choices  # type: ignore[assignment]  # made of pairs
        return next((str(label) for key, label in choices if key == value), str(value))
    if isinstance(field, forms.DateField):
        return str(formats.date_format(value, "DATE_FORMAT"))  # type: ignore[arg-type]  # of a DateField
    return str(value)


def _without(request: HttpRequest, name: str) -> str:
    left = [(key, value) for key, values in request.GET.lists() for value in values if key not in (name, "p", VIEW)]
    return f"?{urlencode(left)}" if left else f"?{VIEW}={ALL_CALLS}"

"""The order board's page, its feed, and what its buttons do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from agents.organizations.access import Access, access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area, Power
from sessions.moves import LONGEST_REASON
from sessions.orders.board.announcing import topic_of
from sessions.orders.board.models import board_settings_of
from sessions.orders.board.services import set_busy, set_prep_minutes
from sessions.orders.models import Order, OrderState
from sessions.orders.services.customer_texts import was_texted
from sessions.orders.services.states import BEFORE, IS_MOVED, move_order, undo_move
from voiceapp.console.boards import board_buttons, board_feed, board_texts, chosen_board, number_of, uuid_of
from voiceapp.core.errors import ApplicationError

from .cards import COLUMNS, Viewer, read_board

REASONS = (_("We are too busy."), _("Something is sold out."), _("We are closing."), _("The customer canceled."),
           _("The customer cannot be reached."))  # fmt: skip
BUSY_FOR_MINUTES = (30, 60, 120)
OFFLINE = gettext_lazy("Offline: what you see may be out of date. New orders appear when the connection is back.")
TEXTED_ALREADY = gettext_lazy("Its customer has been texted already: please call.")


def choose(request: HttpRequest) -> HttpResponseBase:
    """The board of the user's only organization, or a choice."""
    access = access_of(request)
    organizations = Organization.objects.visible_to(access.principal(Area.ORDERS)).filter(takes_orders=True)
    mine = list((organizations if organizations.exists() else _visible(request))[:100])
    return chosen_board(request, mine, page="order-board", title=gettext("Order board"))


def board(request: HttpRequest, organization_id: str) -> HttpResponse:
    """The page: it fills itself from what it brings along, then from its feed."""
    viewer, organization = _viewer(request, organization_id)
    context = {
        "organization": organization,
        "viewer": viewer,
        "columns": COLUMNS,
        "events": [{"name": each.name, "id": each.id, "data": each.data} for each in read_board(viewer)],
        "board_texts": board_texts(offline=str(OFFLINE)),
        "reasons": REASONS,
        "longest_reason": LONGEST_REASON,
        "busy_for": BUSY_FOR_MINUTES,
        "busy_minutes": board_settings_of(organization).busy_minutes,
        "now_s": int(timezone.now().timestamp()),
        "may_set_up": access_of(request).may(Area.ORGANIZATION, Power.EDIT, organization.pk),
    }
    return TemplateResponse(request, "admin/order_board/board.html", context)


def _operated(request: HttpRequest, organization_id: str) -> tuple[Organization, bool]:
    viewer, organization = _viewer(request, organization_id)
    return organization, viewer.operates


changes_the_board = board_buttons(_operated)


@changes_the_board
def move(request: HttpRequest, organization: Organization, order_id: str) -> str:
    order = _order(organization, order_id)
    to = request.POST.get("to", "")
    if to not in BEFORE:
        raise ApplicationError(gettext("The board is out of date. Reload the page."))
    move_order(
        order,
        to=OrderState(to),
        by=request.user.get_username(),
        reason=request.POST.get("reason", "").replace("\x00", ""),
        seen=request.POST.get("seen", "")[:20],
    )
    return str(IS_MOVED[to]) % {"order": order}


@changes_the_board
def undo(request: HttpRequest, organization: Organization, order_id: str) -> str:
    order = _order(organization, order_id)
    undone = undo_move(order, event_id=number_of(request.POST.get("event", "")), by=request.user.get_username())
    said = gettext("%(order)s is %(orderstate)s again.") % {
        "order": order,
        "orderstate": OrderState(order.state).label.lower(),
    }
    return f"{said} {TEXTED_ALREADY}" if was_texted(order, OrderState(undone.before)) else said


@changes_the_board
def prep(request: HttpRequest, organization: Organization) -> str:
    minutes = _minutes(request)
    set_prep_minutes(organization, minutes)
    return (
        gettext("Callers hear that orders take %(minutes)s minutes.") % {"minutes": minutes}
        if minutes
        else gettext("Callers hear no time.")
    )


@changes_the_board
def busy(request: HttpRequest, organization: Organization) -> str:
    minutes = _minutes(request) or 0
    set_busy(organization, for_minutes=minutes, now=timezone.now())
    more = board_settings_of(organization).busy_minutes
    return (
        gettext("Busy for %(minutes)s minutes: orders take %(more)s minutes longer.")
        % {"minutes": minutes, "more": more}
        if minutes
        else gettext("No longer busy.")
    )


def _minutes(request: HttpRequest) -> int | None:
    text = request.POST.get("minutes", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise ApplicationError(gettext("Enter whole minutes."))
    return int(text)


def _visible(request: HttpRequest) -> Any:
    return Organization.objects.visible_to(access_of(request).principal(Area.ORDERS))


def _viewer(request: HttpRequest, organization_id: str) -> tuple[Viewer, Organization]:
    """To those who may not see its orders the organization does not exist."""
    organization = get_object_or_404(_visible(request), pk=uuid_of(organization_id))
    return _viewer_of(access_of(request), organization.pk), organization


def _viewer_of(access: Access, organization_id: UUID) -> Viewer:
    operates = access.may(Area.ORDERS, Power.OPERATE, organization_id)
    return Viewer(organization_id, operates=operates, sees_customers=access.sees_customers_of(organization_id))


def _viewer_now(access: Access, viewer: Viewer) -> Viewer:
    return _viewer_of(access, viewer.organization_id)


def _order(organization: Organization, order_id: str) -> Order:
    orders = Order.objects.select_related("organization").filter(organization=organization)
    return get_object_or_404(orders, pk=uuid_of(order_id))


feed = board_feed(_viewer, topic_of=topic_of, read=read_board, now_for=_viewer_now)

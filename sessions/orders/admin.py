"""Orders: the list, the page with its lines, and the ticket to print."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.hours.local_time import when_of
from agents.organizations.access import access_of
from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button, PageLink
from agents.tenant_admin.downloads import streamed_file
from agents.tenant_admin.number_search import NumberSearch
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import display
from sessions.calls.admin.call import hear_url
from sessions.calls.admin.display import ORDER_COLORS
from sessions.exports.models import Export
from sessions.exports.queries import QueryTooLong, kept_query
from sessions.exports.services import begin_export
from sessions.messages.models import OutboxMessage
from sessions.orders.services.states import IS_MOVED, may_move, move_order, who_moved
from voiceapp.core.errors import ApplicationError
from voiceapp.core.http.security_headers import STRICT, framed_by
from voiceapp.core.phones.numbers import mask, read_caller

from .draft.delivery import address_line
from .exporting import CONTENT_TYPES
from .exporting import lines_of as order_lines
from .models import Order, OrderState

GIVE_UP = _("The items go back into stock. The customer is texted if the text settings say so. If not, please call.")
WHY = _("Why? (kept with the order)")
NOT_MOVED = {
    OrderState.ACCEPTED: _("%(refused)s could not be changed to accepted from their current state."),
    OrderState.READY: _("%(refused)s could not be changed to ready from their current state."),
    OrderState.DONE: _("%(refused)s could not be changed to done from their current state."),
}


def _moved_text(to: OrderState, number: int) -> str:
    texts = {
        OrderState.ACCEPTED: ngettext("%(number)s order is accepted.", "%(number)s orders are accepted.", number),
        OrderState.READY: ngettext("%(number)s order is ready.", "%(number)s orders are ready.", number),
        OrderState.DONE: ngettext("%(number)s order is done.", "%(number)s orders are done.", number),
    }
    return texts[to] % {"number": number}


@admin.register(Order)
class OrderAdmin(NumberSearch[Order], ReadOnlyAdmin[Order]):
    """Lines and totals stay as the caller heard them; only the state changes."""

    area = Area.ORDERS
    list_display = (
        "order_number",
        "state_label",
        "organization",
        "customer_name",
        "line_count",
        "total_price",
        "ordered",
    )
    list_display_links = ("order_number",)
    list_filter = ("state", "created_at", "organization")
    list_select_related = ("organization",)
    linkable = ("call", "created_at__hour", "currency")
    date_hierarchy = "created_at"
    search_fields = ("=number", "customer_name", "lines__item")
    number_fields = ("customer_number",)
    ordering = ("-created_at",)
    change_form_template = "admin/order_page.html"
    list_before_template = "admin/orders_export.html"
    fields = ("state",)
    actions = ("accept_all", "ready_all", "done_all")
    buttons = (
        Button("accept", _("Accept"), "accept", icon="check", style="primary",
               is_offered=lambda order: may_move(order, OrderState.ACCEPTED)),
        Button("start", _("Start"), "start", icon="skillet",
               is_offered=lambda order: may_move(order, OrderState.IN_PROGRESS)),
        Button("ready", _("Mark as ready"), "ready", icon="restaurant", style="primary",
               is_offered=lambda order: may_move(order, OrderState.READY)),
        Button("done", _("Mark as done"), "done", icon="done_all",
               is_offered=lambda order: may_move(order, OrderState.DONE)),
        Button("refuse", _("Refuse"), "refuse", icon="block", style="danger", confirm=GIVE_UP, prompt=WHY,
               is_offered=lambda order: may_move(order, OrderState.REFUSED)),
        Button("cancel", _("Cancel order"), "cancel", icon="block", style="danger", confirm=GIVE_UP, prompt=WHY,
               is_offered=lambda order: may_move(order, OrderState.CANCELED)),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).annotate(line_count=Count("lines"))

    def sees_numbers(self, request: HttpRequest) -> bool:
        access = access_of(request)
        return access.sees_all or all(map(access.sees_customers_of, access.organizations(self.area)))

    @display(description=_("order"), ordering="number")
    def order_number(self, order: Order) -> str:
        return gettext("No. %(number)s") % {"number": order.number}

    @display(description=_("state"), ordering="state", label=ORDER_COLORS)
    def state_label(self, order: Order) -> tuple[str, str]:
        return order.state, order.get_state_display()

    @display(description=_("lines"))
    def line_count(self, order: Order) -> int:
        return int(getattr(order, "line_count", 0))

    @display(description=_("total"), ordering="total")
    def total_price(self, order: Order) -> str:
        return f"{order.total:.2f} {order.currency}"

    @display(description=_("ordered"), ordering="created_at")
    def ordered(self, order: Order) -> str:
        return format_html('<span class="va-nowrap">{}</span>', when_of(order, order.created_at))

    def page_links(self, request: HttpRequest, row: Order) -> tuple[PageLink, ...]:
        return (
            PageLink(gettext("Print ticket"), "print", f"{self.page_of(row).removesuffix('change/')}ticket/", True),
        )

    def accept(self, request: HttpRequest, order: Order, _: str) -> str:
        return self._move(request, order, OrderState.ACCEPTED)

    def start(self, request: HttpRequest, order: Order, _: str) -> str:
        return self._move(request, order, OrderState.IN_PROGRESS)

    def ready(self, request: HttpRequest, order: Order, _: str) -> str:
        return self._move(request, order, OrderState.READY)

    def done(self, request: HttpRequest, order: Order, _: str) -> str:
        return self._move(request, order, OrderState.DONE)

    def refuse(self, request: HttpRequest, order: Order, text: str) -> str:
        return self._move(request, order, OrderState.REFUSED, reason=text)

    def cancel(self, request: HttpRequest, order: Order, text: str) -> str:
        return self._move(request, order, OrderState.CANCELED, reason=text)

    def _move(self, request: HttpRequest, order: Order, to: OrderState, *, reason: str = "") -> str:
        move_order(order, to=to, by=request.user.get_username(), reason=reason)
        return str(IS_MOVED[to]) % {"order": order}

    @admin.action(description=_("Accept"), permissions=["operate"])
    def accept_all(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self._move_all(request, orders, OrderState.ACCEPTED)

    @admin.action(description=_("Mark as ready"), permissions=["operate"])
    def ready_all(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self._move_all(request, orders, OrderState.READY)

    @admin.action(description=_("Mark as done"), permissions=["operate"])
    def done_all(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self._move_all(request, orders, OrderState.DONE)

    def _move_all(self, request: HttpRequest, orders: QuerySet[Order], to: OrderState) -> None:
        moved = refused = 0
        for order in self.rows_with(request, orders, Power.OPERATE):
            try:
                said = self._move(request, order, to)
            except ApplicationError:
                refused += 1
            else:
                self.log_change(request, order, said)
                moved += 1
        messages.success(request, _moved_text(to, moved))
        if refused:
            messages.warning(request, NOT_MOVED[to] % {"refused": refused})

    def get_urls(self) -> list[URLPattern]:
        return [
            path("export/", self.page(self.export), name="voice_sessions_order_export"),
            path("<path:object_id>/ticket/", self.page(self.ticket), name="voice_sessions_order_ticket"),
            *super().get_urls(),
        ]

    def export(self, request: HttpRequest) -> HttpResponse:
        """The orders of the list, of all its pages, as a file."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        query, file_format = request.POST.get("query", ""), request.POST.get("format", "")
        if file_format not in Export.Format.values:
            raise Http404("There is no such format.")
        try:
            vars(request)["GET"] = QueryDict(kept_query(query))
            orders = self.get_changelist_instance(request).get_queryset(request)
        except QueryTooLong as exc:
            messages.error(request, gettext("Nothing was exported. %(message)s") % {"message": exc})
            return HttpResponseRedirect(self._list_path())
        except (IncorrectLookupParameters, SuspiciousOperation):
            messages.error(request, _("Nothing was exported: the list cannot be filtered like this."))
            return HttpResponseRedirect(self._list_path())
        access, form = access_of(request), Export.Format(file_format)
        log = begin_export(
            orders,
            kind=Export.Kind.ORDERS,
            by=request.user.get_username(),
            way=Export.Way.LIST,
            file_format=form,
            query=query,
            has_numbers=access.sees_all or any(map(access.sees_customers_of, access.organizations(self.area))),
        )
        lines = order_lines(orders, form, sees_customers=access.sees_customers_of, log=log)
        file = f"orders-{timezone.localtime():%Y-%m-%d-%H%M}.{form}"
        return streamed_file(lines, name=file, content_type=CONTENT_TYPES[form])

    def ticket(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One narrow page without the admin around it, for the kitchen's printer."""
        order = self.get_object(request, object_id)
        if order is None:
            raise Http404("There is no such order.")
        context = {
            "order": order,
            "lines": lines_of(order),
            "customer_number": customer_number(request, order),
            "address": address_of(request, order),
        }
        response = TemplateResponse(request, "admin/ticket.html", context)
        if "frame" in request.GET:  # the order board prints it from a hidden frame
            response["X-Frame-Options"] = "SAMEORIGIN"
            response["Content-Security-Policy"] = framed_by(STRICT)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        order = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if order is not None:
            access = access_of(request)
            may_call = access.may(Area.CALLS, Power.VIEW, order.organization_id)
            may_send = access.may(Area.DELIVERIES, Power.VIEW, order.organization_id)
            context = {
                "lines": lines_of(order),
                "customer_number": customer_number(request, order),
                "address": address_of(request, order),
                "call": order.call if may_call else None,
                "moves": [who_moved(event) for event in order.events.select_related("order__organization")],
                "hear_url": hear_url(access, order.call),
                "deliveries": deliveries_of(order) if may_send else (),
                "may_retry": access.may(Area.DELIVERIES, Power.OPERATE, order.organization_id),
                "state_color": ORDER_COLORS.get(order.state, ""),
                "subtitle": None,
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})


def customer_number(request: HttpRequest, order: Order) -> str:
    """As this user may read it; empty where no number of the customer is known."""
    number = read_caller(order.customer_number).number
    return number if access_of(request).sees_customers_of(order.organization_id) or not number else mask(number)


def address_of(request: HttpRequest, order: Order) -> str:
    """Whoever may not call the customer sees the town alone."""
    is_seen = access_of(request).sees_customers_of(order.organization_id)
    return order.address if is_seen else address_line("", order.postcode, order.place)


def lines_of(order: Order) -> Any:
    return order.lines.prefetch_related("modifiers").order_by("position")


def deliveries_of(order: Order) -> QuerySet[OutboxMessage]:
    """The webhook deliveries about the order, done or waiting."""
    return OutboxMessage.objects.filter(
        organization_id=order.organization_id, about=f"order:{order.pk}"
    ).select_related("endpoint")

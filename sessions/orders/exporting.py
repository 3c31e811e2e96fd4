"""Orders as CSV and JSON, for a point of sale or the books: read in batches, so that memory stays flat."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from sessions.exports.models import Export
from sessions.exports.services import ExportLog
from voiceapp.core.phones.numbers import mask, read_caller
from voiceapp.core.spreadsheets import BYTE_ORDER_MARK, escaped

from .models import Order, OrderLine
from .pos_ids import with_pos_ids
from .serializers import OrderBody

BATCH = 500
SeesCustomers = Callable[[UUID], bool]
NAMES = (
    "orderId", "number", "orgId", "callId", "state", "createdAt", "timeZone", "customerName", "customerNumber", "note",
    "position", "posId", "itemId", "item", "sizeId", "size", "quantity", "unitPrice", "price", "modifiers",
    "modifierPosIds", "lineNote", "isDelivery", "street", "postcode", "place", "deliveryFee", "subtotal",
    "tax", "total", "currency",
)  # fmt: skip


CONTENT_TYPES = {Export.Format.CSV: "text/csv; charset=utf-8", Export.Format.JSON: "application/json"}


def lines_of(
    orders: QuerySet[Order], form: Export.Format, *, sees_customers: SeesCustomers, log: ExportLog
) -> Iterator[str]:
    """The file, a part for each batch. Of a CSV each line is a line of an order, with the order's own columns.

    Its end is written to the log of exports.
    """
    parts = (_masked(batch, sees_customers) for batch in log.counted(_batches(orders)))
    return log.until_end(_csv(parts) if form is Export.Format.CSV else _json(parts))


def _batches(orders: QuerySet[Order]) -> Iterator[list[Order]]:
    """By number, which no later order changes; six queries each."""
    keys = list(orders.order_by("organization", "number").values_list("pk", flat=True))
    lines = OrderLine.objects.order_by("position").prefetch_related("modifiers__parent")
    rows = Order.objects.select_related("organization", "replaces").prefetch_related(Prefetch("lines", lines))
    for begin in range(0, len(keys), BATCH):
        batch = list(rows.filter(pk__in=keys[begin : begin + BATCH]).order_by("organization", "number"))
        with_pos_ids([line for order in batch for line in order.lines.all()])
        yield batch


def _masked(batch: Sequence[Order], sees_customers: SeesCustomers) -> Sequence[Order]:
    for order in batch:
        number = read_caller(order.customer_number).number
        if not sees_customers(order.organization_id):
            order.customer_number, order.street = mask(number) if number else "", ""
        else:
            order.customer_number = number
    return batch


def _csv(parts: Iterable[Sequence[Order]]) -> Iterator[str]:
    yield BYTE_ORDER_MARK + _rows([NAMES])
    for orders in parts:
        yield _rows(row for order in orders for row in _lines(order))


def _lines(order: Order) -> Iterator[list[str]]:
    at = order.created_at.astimezone(order.organization.zone).isoformat(timespec="seconds")
    first = (order.pk, order.number, order.organization_id, order.call_id or "", order.state, at,
             order.organization.time_zone, order.customer_name, order.customer_number, order.note)  # fmt: skip
    last = ("yes" if order.is_delivery else "", order.street, order.postcode, order.place, order.delivery_fee,
            order.subtotal, order.tax, order.total, order.currency)  # fmt: skip
    for line in order.lines.all():
        modifiers = list(line.modifiers.all())
        names = "; ".join(f"{each.quantity} x {each.name}" if each.quantity > 1 else each.name for each in modifiers)
        ids = "; ".join(each.pos_id for each in modifiers)
        own = (line.position, line.pos_id, line.item_id, line.item, line.size_id, line.size, line.quantity,
               line.unit_price, line.price, names, ids if ids.strip("; ") else "", line.note)  # fmt: skip
        yield [escaped("" if value is None else str(value)) for value in (*first, *own, *last)]


def _rows(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _json(parts: Iterable[Sequence[Order]]) -> Iterator[str]:
    """An array with an order in each line, as webhooks show it. A file that was broken off is no JSON."""
    begin = "[\n"
    for orders in parts:
        rows = [json.dumps(OrderBody(order).data, ensure_ascii=False) for order in orders]
        if rows:
            yield begin + ",\n".join(rows)
            begin = ",\n"
    yield "[]\n" if begin == "[\n" else "\n]\n"

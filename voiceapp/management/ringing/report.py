"""What came of a call, as text and as data."""

from __future__ import annotations

from sessions.calls.models import Call
from sessions.orders.models import Order

from .verdict import Outcome, describe_appointment


def result_text(outcome: Outcome) -> list[str]:
    """What came of the call, as rows."""
    rows = order_text(outcome.order) if outcome.order is not None else []
    rows += [f"Appointment {each.number}: {describe_appointment(each)}" for each in outcome.appointments]
    rows += [f"SMS: {body}" for _, body in outcome.texts]
    if outcome.transfer is not None:
        talked = outcome.transfer.talk_s
        length = "" if talked is None else f", {talked} s"
        rows.append(f"Transfer to {outcome.transfer.name}: {outcome.transfer.get_state_display().lower()}{length}")
    return rows or ["No order was made."]


def order_text(order: Order) -> list[str]:
    """The order as a receipt."""
    rows = [f"Order {order.number}"]
    for line in order.lines.prefetch_related("modifiers"):
        rows.append(f"  {line!s:<34}{line.price:>9}")
        rows += [f"      {modifier.name}" for modifier in line.modifiers.all()]
    rows += [f"  {order.tax_label:<34}{order.tax:>9}", f"  {'Total':<34}{order.total:>9} {order.currency}"]
    return rows


def summary(
    call: Call, outcome: Outcome, wrong: list[str], times: list[int], report: dict[str, object]
) -> dict[str, object]:
    """The data of --json. Times are milliseconds on the recording's clock."""
    order, transfer = outcome.order, outcome.transfer
    return {
        "call": str(call.pk),
        "sid": call.carrier_sid,
        "state": call.state,
        "end_reason": call.end_reason,
        "duration_s": call.duration_s,
        "order": None
        if order is None
        else {"number": order.number, "total": str(order.total), "currency": order.currency},
        "appointments": [
            {"number": each.number, "service": each.service_name, "starts_at": each.starts_at.isoformat()}
            for each in outcome.appointments
        ],
        "texts": [{"kind": kind, "body": body} for kind, body in outcome.texts],
        "transfer": None
        if transfer is None
        else {"to": transfer.name, "state": transfer.state, "talk_s": transfer.talk_s},
        "differences": wrong,
        "response_ms": times,
        "interruptions": report["interruptions"],
        "response_gaps": report["response_gaps"],
        "underruns": report["underruns"],
        "clipped_ends": report["clipped_ends"],
    }

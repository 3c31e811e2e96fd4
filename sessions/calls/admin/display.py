"""How the admin shows what happened on a call: plain texts, and the color that goes with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from django.utils.translation import gettext

from sessions.appointments.models import AppointmentState
from sessions.calls.end_reasons import EXPLANATIONS, REFUSED_FOR, EndReason, Explanation
from sessions.calls.models import Call, CallState, ToolCall
from sessions.orders.models import OrderState
from sessions.rooms.models import RoomAgent

CALL_COLORS: Mapping[str, str] = {
    CallState.PENDING: "info",
    CallState.RINGING: "info",
    CallState.CONNECTED: "info",
    CallState.COMPLETED: "success",
    CallState.MISSED: "warning",
    CallState.FAILED: "danger",
}
ORDER_COLORS: Mapping[str, str] = {
    OrderState.SUBMITTED: "info",
    OrderState.ACCEPTED: "primary",
    OrderState.IN_PROGRESS: "warning",
    OrderState.READY: "success",
    OrderState.REFUSED: "danger",
    OrderState.CANCELED: "danger",
}
APPOINTMENT_COLORS: Mapping[str, str] = {
    AppointmentState.BOOKED: "info",
    AppointmentState.ARRIVED: "primary",
    AppointmentState.DONE: "success",
    AppointmentState.NO_SHOW: "warning",
    AppointmentState.CANCELED: "danger",
}
AGENT_COLORS: Mapping[str, str] = {
    RoomAgent.Status.PENDING: "info",
    RoomAgent.Status.ACTIVE: "success",
    RoomAgent.Status.DISCONNECTED: "warning",
}


def reason_and_advice(end_reason: str, *, refused_for: str = "") -> Explanation:
    """Why a call ended, and what to do about it; `refused_for` is the rule that refused it, if one did."""
    if end_reason == EndReason.LINE_FULL and refused_for in REFUSED_FOR:
        found = REFUSED_FOR[refused_for]
    else:
        found = EXPLANATIONS[EndReason(end_reason)] if end_reason in EXPLANATIONS else Explanation("")
    return Explanation(*(gettext(text) if text else "" for text in found))


def end_reason_text(call: Call) -> str:
    """“Caller hung up”"""
    return call.get_end_reason_display() or (gettext("In progress") if call.is_live else "–")


def duration_text(seconds: int | None) -> str:
    """“2:05”, minutes and seconds."""
    return "–" if seconds is None else f"{seconds // 60}:{seconds % 60:02}"


def offset_text(ms: int) -> str:
    """A time within a call: “0:07”."""
    return duration_text(ms // 1000)


def response_text(ms: float | None) -> str:
    """“0.84 s”"""
    return "–" if ms is None else f"{ms / 1000:.2f} s"


def cost_text(call: Call) -> str:
    """“$0.0421”; “unknown” where the price table lacks something that was used."""
    if call.cost_usd is not None:
        return f"${call.cost_usd:.4f}"
    return gettext("Unknown") if is_price_missing(call) else "–"


def is_price_missing(call: Call) -> bool:
    """Whether the price table lacks something that was used."""
    return call.cost_usd is None and bool(call.usage)


def median_ms(times: Iterable[int | None]) -> float | None:
    known = [each for each in times if each is not None]
    return median(known) if known else None


def tool_sentence(tool_call: ToolCall) -> str:
    """What the agent did, as a sentence."""
    arguments: Mapping[str, Any] = tool_call.arguments if isinstance(tool_call.arguments, dict) else {}
    match tool_call.name:
        case "look_up_items":
            return gettext("Looked up “%(query)s” on the menu.") % {"query": arguments.get("query", "")}
        case "change_order":
            return _changes(arguments.get("changes"))
        case "read_back_order":
            return gettext("Read the order back.")
        case "submit_order":
            name = arguments.get("customer_name")
            return (
                gettext("Submitted the order for %(name)s.") % {"name": name}
                if name
                else gettext("Submitted the order.")
            )
        case "look_up_services":
            return gettext("Looked up the service “%(query)s”.") % {"query": arguments.get("query", "")}
        case "find_appointment_times":
            return gettext("Looked for times: %(service)s, %(when)s.") % {
                "service": arguments.get("service", ""),
                "when": arguments.get("when") or gettext("as soon as possible"),
            }
        case "choose_appointment":
            return _chosen(arguments)
        case "read_back_appointment":
            return gettext("Read the appointment back.")
        case "book_appointment":
            return gettext("Booked the appointment.")
        case "find_my_appointments":
            return gettext("Looked up the caller's appointments.")
        case "move_appointment":
            return gettext("Move of appointment No. %(appointment)s to “%(time)s”.") % {
                "appointment": arguments.get("appointment", "?"),
                "time": arguments.get("time", ""),
            }
        case "cancel_appointment":
            return gettext("Cancellation of appointment No. %(appointment)s.") % {
                "appointment": arguments.get("appointment", "?")
            }
        case "transfer_call":
            return gettext("Transferred the caller to “%(target)s”.") % {"target": arguments.get("target", "")}
        case "end_call":
            return gettext("Ended the call.")
        case "get_opening_hours":
            return gettext("Looked up the opening hours.")
    return gettext("Used %(tool_call)s.") % {"tool_call": tool_call.name.replace("_", " ")}


def _chosen(arguments: Mapping[str, Any]) -> str:
    said = [f"{name.replace('_', ' ')} “{value}”" for name, value in arguments.items() if value]
    return gettext("Chose %(said)s.") % {"said": ", ".join(said)} if said else gettext("Looked at the appointment.")


def _changes(changes: object) -> str:
    if not isinstance(changes, Sequence) or isinstance(changes, str) or not changes:
        return gettext("Changed the order.")
    said = "; ".join(_change(change) for change in changes if isinstance(change, Mapping))
    return gettext("Changed the order: %(said)s.") % {"said": said} if said else gettext("Changed the order.")


def _change(change: Mapping[str, Any]) -> str:
    what = " ".join(str(change[name]) for name in ("size", "item") if change.get(name))
    modifiers = change.get("modifiers")
    if isinstance(modifiers, list) and modifiers:
        what = (
            gettext("%(what)s with %(modifiers)s") % {"what": what, "modifiers": ", ".join(map(str, modifiers))}
        ).strip()
    match change.get("do"):
        case "add":
            return gettext("added %(quantity)s × %(what)s") % {"quantity": change.get("quantity", 1), "what": what}
        case "update":
            quantity = f"{change['quantity']} × " if change.get("quantity") else ""
            return (
                gettext("line %(line)s is now %(quantity)s%(what)s")
                % {"line": change.get("line"), "quantity": quantity, "what": what}
            ).rstrip(" ×")
        case "remove":
            return gettext("removed line %(line)s") % {"line": change.get("line")}
        case "clear":
            return gettext("removed all items")
    return str(change.get("do", "changed something"))

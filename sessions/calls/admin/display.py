"""How the admin says what happened on a call: plain words, and the color that goes with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from sessions.calls.end_reasons import EndReason
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
    OrderState.READY: "success",
    OrderState.CANCELLED: "danger",
}
AGENT_COLORS: Mapping[str, str] = {
    RoomAgent.Status.PENDING: "info",
    RoomAgent.Status.ACTIVE: "success",
    RoomAgent.Status.DISCONNECTED: "warning",
}
# The reason, and what to do about it where somebody can do something.
REASONS: Mapping[str, tuple[str, str]] = {
    EndReason.CALLER_HUNG_UP: ("The caller hung up.", ""),
    EndReason.AGENT_HUNG_UP: ("The agent said goodbye and hung up.", ""),
    EndReason.TRANSFERRED: ("The caller was handed over to a person.", ""),
    EndReason.CALLER_SILENT: ("The caller said nothing any more.", ""),
    EndReason.TOO_LONG: (
        "The call reached the longest time allowed.",
        "The agent's “longest call” setting decides this.",
    ),
    EndReason.PROVIDER_FAILED: (
        "The voice service failed and could not be reached again.",
        "One such call is bad luck. Several: run manage.py doctor.",
    ),
    EndReason.PROVIDER_REFUSED: (
        "The voice service refused the call.",
        "Check OPENAI_API_KEY and the agent's model: manage.py doctor.",
    ),
    EndReason.STREAM_LOST: (
        "The audio connection to the carrier broke.",
        "Several such calls: check the proxy in front of this server.",
    ),
    EndReason.HUNG_UP_BY_OPERATOR: ("Somebody here hung up.", ""),
    EndReason.SERVER_STOPPING: ("The server was stopped during the call.", ""),
    EndReason.CLOSED_HOURS: ("It rang outside the opening hours.", "Change the hours of the organization."),
    EndReason.AGENT_PAUSED: ("The agent was paused.", "Let it answer again on the agent's page."),
    EndReason.AGENT_NOT_PUBLISHED: ("The agent was never published.", "Publish it on the agent's page."),
    EndReason.NO_AGENT: (
        "The organization has no default agent, and the number names none.",
        "Mark an agent as the default, or choose one on the number's page.",
    ),
    EndReason.NUMBER_SWITCHED_OFF: ("The number is switched off.", "Switch it on again on the number's page."),
    EndReason.LINE_FULL: (
        "Too many calls at once.",
        "Raise “max live calls” of the organization, or MAX_LIVE_CALLS of the server.",
    ),
    EndReason.UNKNOWN_NUMBER: (
        "The number rung is not set up here, or the webhook's address names another organization than the number's.",
        "Add the number under “Phone numbers”, and paste the webhook's address from its page at the carrier.",
    ),
    EndReason.LOST_PROCESS: ("The server process was gone.", "Look at the server's log of that minute."),
    EndReason.NOT_ANSWERED: (
        "The call was never connected.",
        "Does the carrier reach PUBLIC_BASE_URL by WebSocket? Run manage.py doctor.",
    ),
    EndReason.ENDED_BY_REQUEST: ("It was ended over the API.", ""),
    EndReason.ROOM_CLOSED: ("Everybody had left the room.", ""),
    EndReason.AGENT_NOT_DISPATCHED: (
        "No agent could be asked into the room.",
        "Is LiveKit reachable? Run manage.py doctor.",
    ),
    EndReason.ROOM_NOT_OPENED: ("LiveKit did not open the room.", "Is LiveKit reachable? Run manage.py doctor."),
    EndReason.FAILED_BY_REQUEST: ("Other software said over the API that it failed.", ""),
}


# Which limit refused a call that found the line full (`refused_for` of its event `ringing`), and what to do about it.
FULL: Mapping[str, tuple[str, str]] = {
    "organization": ("The organization had as many live calls as it allows.", "Raise its “max live calls”."),
    "server": ("The server had as many live calls as it allows.", "Raise MAX_LIVE_CALLS of the server."),
    "caller": ("The caller already had two live calls.", ""),
    "draining": ("The server was being stopped and took no new calls.", ""),
}


def reason_and_advice(end_reason: str, *, refused_for: str = "") -> tuple[str, str]:
    """Why a call ended, and what to do about it; `refused_for` is the rule that refused it, if one did."""
    if end_reason == EndReason.LINE_FULL and refused_for in FULL:
        return FULL[refused_for]
    return REASONS.get(end_reason, ("", ""))


def reason_words(call: Call) -> str:
    """“caller hung up”"""
    return call.end_reason.replace("_", " ") or ("going on" if call.is_live else "–")


def duration_words(seconds: int | None) -> str:
    """“2:05”, minutes and seconds."""
    return "–" if seconds is None else f"{seconds // 60}:{seconds % 60:02}"


def offset_words(ms: int) -> str:
    """A moment of a call: “0:07”."""
    return duration_words(ms // 1000)


def response_words(ms: float | None) -> str:
    """“0.84 s”"""
    return "–" if ms is None else f"{ms / 1000:.2f} s"


def cost_words(call: Call) -> str:
    """An unknown price is said to be unknown; a call that used nothing cost nothing worth a word."""
    if call.cost_usd is not None:
        return f"${call.cost_usd:.4f}"
    return "unknown" if call.usage else "–"


def median_ms(times: Iterable[int | None]) -> float | None:
    known = [each for each in times if each is not None]
    return median(known) if known else None


def tool_sentence(tool_call: ToolCall) -> str:
    """What the agent did, as one would tell a colleague."""
    arguments: Mapping[str, Any] = tool_call.arguments if isinstance(tool_call.arguments, dict) else {}
    match tool_call.name:
        case "look_up_items":
            return f"Looked up “{arguments.get('query', '')}” on the menu."
        case "change_order":
            return _changes(arguments.get("changes"))
        case "read_back_order":
            return "Read the order back."
        case "submit_order":
            name = arguments.get("customer_name")
            return f"Submitted the order for {name}." if name else "Submitted the order."
        case "transfer_call":
            return f"Handed the caller over to “{arguments.get('target', '')}”."
        case "end_call":
            return "Ended the call."
        case "get_opening_hours":
            return "Looked at the opening hours."
    return f"Used {tool_call.name.replace('_', ' ')}."


def _changes(changes: object) -> str:
    if not isinstance(changes, Sequence) or isinstance(changes, str) or not changes:
        return "Changed the order."
    said = "; ".join(_change(change) for change in changes if isinstance(change, Mapping))
    return f"Changed the order: {said}." if said else "Changed the order."


def _change(change: Mapping[str, Any]) -> str:
    what = " ".join(str(change[name]) for name in ("size", "item") if change.get(name))
    modifiers = change.get("modifiers")
    if isinstance(modifiers, list) and modifiers:
        what = f"{what} with {', '.join(map(str, modifiers))}".strip()
    match change.get("do"):
        case "add":
            return f"added {change.get('quantity', 1)} × {what}"
        case "update":
            quantity = f"{change['quantity']} × " if change.get("quantity") else ""
            return f"line {change.get('line')} is now {quantity}{what}".rstrip(" ×")
        case "remove":
            return f"removed line {change.get('line')}"
        case "clear":
            return "emptied it"
    return str(change.get("do", "changed something"))

"""How the admin shows what happened on a call: plain texts, and the color that goes with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from sessions.appointments.models import AppointmentState
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
    OrderState.CANCELED: "danger",
}
APPOINTMENT_COLORS: Mapping[str, str] = {
    AppointmentState.BOOKED: "info",
    AppointmentState.DONE: "success",
    AppointmentState.NO_SHOW: "warning",
    AppointmentState.CANCELED: "danger",
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
    EndReason.TRANSFERRED: ("The caller was transferred to a person.", ""),
    EndReason.NOBODY_THERE: (
        "The caller wanted a person, and nobody took the call.",
        "See the transfer below: who was called, and how it ended.",
    ),
    EndReason.CALLER_SILENT: ("The caller was silent.", ""),
    EndReason.TOO_LONG: (
        "The call reached its maximum duration.",
        "The agent's “Maximum call duration” sets this limit; a visitor's call on the call page has one of its own.",
    ),
    EndReason.BUDGET_USED: (
        "The call had cost what was reserved for it of the call page's daily budget.",
        "It talked more than calls of its length do. If this happens repeatedly, shorten the agent's prompt.",
    ),
    EndReason.PROVIDER_FAILED: (
        "The AI provider failed and could not be reached again.",
        "If this happens repeatedly, run manage.py doctor.",
    ),
    EndReason.PROVIDER_REFUSED: (
        "The AI provider refused the call.",
        "Check the key of the AI provider (OPENAI_API_KEY, VAPI_API_KEY) and the agent's model; run manage.py doctor.",
    ),
    EndReason.STREAM_LOST: (
        "The audio connection to the carrier was lost.",
        "If this happens repeatedly, check the proxy in front of this server.",
    ),
    EndReason.HUNG_UP_BY_OPERATOR: ("An operator ended the call.", ""),
    EndReason.SERVER_STOPPING: ("The server was stopped during the call.", ""),
    EndReason.CLOSED_HOURS: ("The call came outside the opening hours.", "Change the organization's opening hours."),
    EndReason.AGENT_PAUSED: ("The agent was paused.", "Resume it on the agent's page."),
    EndReason.AGENT_NOT_PUBLISHED: ("The agent is not published.", "Publish it on the agent's page."),
    EndReason.NO_AGENT: (
        "The organization has no default agent, and the phone number has none either.",
        "Mark an agent as the default, or choose one on the phone number's page.",
    ),
    EndReason.NUMBER_SWITCHED_OFF: ("The phone number is inactive.", "Activate it on the phone number's page."),
    EndReason.LINE_FULL: (
        "There were too many concurrent calls.",
        "Raise the organization's “Maximum concurrent calls”, or MAX_LIVE_CALLS of each server process.",
    ),
    EndReason.UNKNOWN_NUMBER: (
        "The dialed number is not set up here, or the webhook URL names another organization than the number's.",
        "Add the number under “Phone numbers”, and paste the webhook URL from its page at the carrier.",
    ),
    EndReason.LOST_PROCESS: (
        "The server process stopped unexpectedly.",
        "Check the server's log at the time of the call.",
    ),
    EndReason.NOT_ANSWERED: (
        "The call was not connected.",
        "Check that the carrier reaches PUBLIC_BASE_URL by WebSocket, or run manage.py doctor.",
    ),
    EndReason.ENDED_BY_REQUEST: ("The call was ended over the API.", ""),
    EndReason.ROOM_CLOSED: ("The room was closed.", ""),
    EndReason.AGENT_NOT_DISPATCHED: (
        "No agent could be dispatched to the room.",
        "Check that LiveKit is reachable, or run manage.py doctor.",
    ),
    EndReason.AGENT_NEVER_JOINED: (
        "No agent joined the room.",
        "Check that the agents' worker runs (manage.py run_agent), or run manage.py doctor.",
    ),
    EndReason.AGENT_LOST: (
        "The agent was lost during the call, and so was the one that took its place.",
        "Check the log of the agents' worker at the time of the call.",
    ),
    EndReason.PHONE_NOT_REACHED: (
        "LiveKit could not call the phone.",
        "Check its SIP service and the outbound trunk of LIVEKIT_SIP_TRUNK_ID.",
    ),
    EndReason.ROOM_NOT_OPENED: (
        "LiveKit did not open the room.",
        "Check that LiveKit is reachable, or run manage.py doctor.",
    ),
    EndReason.FAILED_BY_REQUEST: ("The call was marked as failed over the API.", ""),
    EndReason.PAGE_CHANGED_SESSION: (
        "The caller's page tried to change the agent's instructions, or what it knows.",
        "No page of ours does that: somebody has tampered with it. Prices and orders were not affected.",
    ),
    EndReason.BROWSER_NEVER_JOINED: (
        "The caller's browser did not connect to the AI provider.",
        "Its network may not allow WebRTC (UDP).",
    ),
}


# Which limit refused a call (`refused_for` of its event `ringing`), and what to do about it.
FULL: Mapping[str, tuple[str, str]] = {
    "organization": (
        "The organization reached its maximum of concurrent calls.",
        "Raise its “Maximum concurrent calls”.",
    ),
    "server": (
        "The server process reached its maximum of concurrent calls.",
        "Start another web process, or raise MAX_LIVE_CALLS.",
    ),
    "caller": ("The caller already had two live calls.", ""),
    "draining": ("The server was shutting down and took no new calls.", ""),
}


def reason_and_advice(end_reason: str, *, refused_for: str = "") -> tuple[str, str]:
    """Why a call ended, and what to do about it; `refused_for` is the rule that refused it, if one did."""
    if end_reason == EndReason.LINE_FULL and refused_for in FULL:
        return FULL[refused_for]
    return REASONS.get(end_reason, ("", ""))


def end_reason_text(call: Call) -> str:
    """“Caller hung up”"""
    return call.get_end_reason_display() or ("In progress" if call.is_live else "–")


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
    return "Unknown" if call.usage else "–"


def median_ms(times: Iterable[int | None]) -> float | None:
    known = [each for each in times if each is not None]
    return median(known) if known else None


def tool_sentence(tool_call: ToolCall) -> str:
    """What the agent did, as a sentence."""
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
        case "look_up_services":
            return f"Looked up the service “{arguments.get('query', '')}”."
        case "find_appointment_times":
            return (
                f"Looked for times: {arguments.get('service', '')}, {arguments.get('when') or 'as soon as possible'}."
            )
        case "choose_appointment":
            return _chosen(arguments)
        case "read_back_appointment":
            return "Read the appointment back."
        case "book_appointment":
            return "Booked the appointment."
        case "find_my_appointments":
            return "Looked up the caller's appointments."
        case "move_appointment":
            return f"Move of appointment No. {arguments.get('appointment', '?')} to “{arguments.get('time', '')}”."
        case "cancel_appointment":
            return f"Cancellation of appointment No. {arguments.get('appointment', '?')}."
        case "transfer_call":
            return f"Transferred the caller to “{arguments.get('target', '')}”."
        case "end_call":
            return "Ended the call."
        case "get_opening_hours":
            return "Looked up the opening hours."
    return f"Used {tool_call.name.replace('_', ' ')}."


def _chosen(arguments: Mapping[str, Any]) -> str:
    said = [f"{name.replace('_', ' ')} “{value}”" for name, value in arguments.items() if value]
    return f"Chose {', '.join(said)}." if said else "Looked at the appointment."


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
            return "removed all items"
    return str(change.get("do", "changed something"))

"""Why a call ended, and what to do about it: one closed set, for every kind of call. Plain values: no Django."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple


def _(text: str) -> str:
    """Marks a text for the catalogs. Whoever shows it translates it: the bridge has it too, without Django."""
    return text


class EndReason(enum.StrEnum):
    """One reason per call, written once with the terminal state."""

    CALLER_HUNG_UP = "caller_hung_up"
    AGENT_HUNG_UP = "agent_hung_up"
    TRANSFERRED = "transferred"
    NOBODY_THERE = "nobody_there"
    CALLER_SILENT = "caller_silent"
    TOO_LONG = "too_long"
    BUDGET_USED = "budget_used"
    PROVIDER_FAILED = "provider_failed"
    PROVIDER_REFUSED = "provider_refused"
    STREAM_LOST = "stream_lost"
    HUNG_UP_BY_OPERATOR = "hung_up_by_operator"
    SERVER_STOPPING = "server_stopping"
    CLOSED_HOURS = "closed_hours"
    AGENT_PAUSED = "agent_paused"
    AGENT_NOT_PUBLISHED = "agent_not_published"
    NO_AGENT = "no_agent"
    NUMBER_SWITCHED_OFF = "number_switched_off"
    LINE_FULL = "line_full"
    UNKNOWN_NUMBER = "unknown_number"
    LOST_PROCESS = "lost_process"
    NOT_ANSWERED = "not_answered"
    ENDED_BY_REQUEST = "ended_by_request"
    ROOM_CLOSED = "room_closed"
    AGENT_NOT_DISPATCHED = "agent_not_dispatched"
    AGENT_NEVER_JOINED = "agent_never_joined"
    AGENT_LOST = "agent_lost"
    PHONE_NOT_REACHED = "phone_not_reached"
    ROOM_NOT_OPENED = "room_not_opened"
    FAILED_BY_REQUEST = "failed_by_request"
    PAGE_CHANGED_SESSION = "page_changed_session"
    BROWSER_NEVER_JOINED = "browser_never_joined"

    @property
    def label(self) -> str:
        """What people read in lists and filters, in English."""
        return LABELS.get(self, self.replace("_", " ").capitalize())


LABELS = {
    EndReason.NOBODY_THERE: _("Nobody took the call"),
    EndReason.CALLER_SILENT: _("Caller was silent"),
    EndReason.TOO_LONG: _("Maximum duration reached"),
    EndReason.BUDGET_USED: _("Maximum cost reached"),
    EndReason.PROVIDER_FAILED: _("AI provider failed"),
    EndReason.PROVIDER_REFUSED: _("AI provider refused the call"),
    EndReason.STREAM_LOST: _("Audio connection lost"),
    EndReason.CLOSED_HOURS: _("Outside opening hours"),
    EndReason.NO_AGENT: _("No default agent"),
    EndReason.NUMBER_SWITCHED_OFF: _("Phone number inactive"),
    EndReason.LINE_FULL: _("Too many calls"),
    EndReason.UNKNOWN_NUMBER: _("Unknown phone number"),
    EndReason.LOST_PROCESS: _("Server process lost"),
    EndReason.ENDED_BY_REQUEST: _("Ended over the API"),
    EndReason.AGENT_NOT_DISPATCHED: _("Agent could not be dispatched"),
    EndReason.AGENT_NEVER_JOINED: _("No agent joined"),
    EndReason.AGENT_LOST: _("Agent lost"),
    EndReason.PHONE_NOT_REACHED: _("Phone could not be called"),
    EndReason.ROOM_NOT_OPENED: _("Room could not be opened"),
    EndReason.FAILED_BY_REQUEST: _("Marked as failed over the API"),
    EndReason.PAGE_CHANGED_SESSION: _("Page changed the agent"),
    EndReason.BROWSER_NEVER_JOINED: _("Browser did not connect"),
    EndReason.CALLER_HUNG_UP: _("Caller hung up"),
    EndReason.AGENT_HUNG_UP: _("Agent hung up"),
    EndReason.TRANSFERRED: _("Transferred"),
    EndReason.HUNG_UP_BY_OPERATOR: _("Hung up by operator"),
    EndReason.SERVER_STOPPING: _("Server stopping"),
    EndReason.AGENT_PAUSED: _("Agent paused"),
    EndReason.AGENT_NOT_PUBLISHED: _("Agent not published"),
    EndReason.NOT_ANSWERED: _("Not answered"),
    EndReason.ROOM_CLOSED: _("Room closed"),
}


class Explanation(NamedTuple):
    """What happened, and what to do about it where somebody can do something."""

    cause: str
    fix: str = ""


# Docs, lists and pages show these: docs/reference/end-reasons.md is checked against them.
EXPLANATIONS: Mapping[EndReason, Explanation] = {
    EndReason.CALLER_HUNG_UP: Explanation(_("The caller hung up.")),
    EndReason.AGENT_HUNG_UP: Explanation(_("The agent said goodbye and hung up.")),
    EndReason.TRANSFERRED: Explanation(_("The caller was transferred to a person.")),
    EndReason.NOBODY_THERE: Explanation(
        _("The caller wanted a person, and nobody took the call."),
        _(
            "The transfer on the call's page says who was called, and how it ended. Check the target's number and "
            "hours."
        ),
    ),
    EndReason.CALLER_SILENT: Explanation(
        _("The caller was silent."),
        _(
            "If it happens often, play such a recording: is the caller's voice in it? The agent's settings say how "
            "long it waits."
        ),
    ),
    EndReason.TOO_LONG: Explanation(
        _("The call reached its maximum duration."),
        _("The agent's “Maximum call duration” sets this limit; a visitor's call on the call page has one of its own."),
    ),
    EndReason.BUDGET_USED: Explanation(
        _("The call had cost what was reserved for it of the call page's daily budget."),
        _("It talked more than calls of its length do. If this happens repeatedly, shorten the agent's prompt."),
    ),
    EndReason.PROVIDER_FAILED: Explanation(
        _("The AI provider failed and could not be reached again."),
        _("If this happens repeatedly, run manage.py doctor."),
    ),
    EndReason.PROVIDER_REFUSED: Explanation(
        _("The AI provider refused the call."),
        _(
            "Check the key of the AI provider (OPENAI_API_KEY, VAPI_API_KEY) and the agent's model; run manage.py "
            "doctor."
        ),
    ),
    EndReason.STREAM_LOST: Explanation(
        _("The audio connection to the carrier was lost."),
        _("If this happens repeatedly, check the proxy in front of this server."),
    ),
    EndReason.HUNG_UP_BY_OPERATOR: Explanation(_("An operator ended the call.")),
    EndReason.SERVER_STOPPING: Explanation(
        _("The server was stopped during the call."),
        _("Restart and deploy when few people call: live calls get DRAIN_BUDGET_S seconds to end."),
    ),
    EndReason.CLOSED_HOURS: Explanation(
        _("The call came outside the opening hours."), _("Change the organization's opening hours.")
    ),
    EndReason.AGENT_PAUSED: Explanation(_("The agent was paused."), _("Resume it on the agent's page.")),
    EndReason.AGENT_NOT_PUBLISHED: Explanation(_("The agent is not published."), _("Publish it on the agent's page.")),
    EndReason.NO_AGENT: Explanation(
        _("The organization has no default agent, and the phone number has none either."),
        _("Mark an agent as the default, or choose one on the phone number's page."),
    ),
    EndReason.NUMBER_SWITCHED_OFF: Explanation(
        _("The phone number is inactive."), _("Activate it on the phone number's page.")
    ),
    EndReason.LINE_FULL: Explanation(
        _("There were too many concurrent calls."),
        _("Raise the organization's “Maximum concurrent calls”, or MAX_LIVE_CALLS of each server process."),
    ),
    EndReason.UNKNOWN_NUMBER: Explanation(
        _("The dialed number is not set up here, or the webhook URL names another organization than the number's."),
        _("Add the number under “Phone numbers”, and paste the webhook URL from its page at the carrier."),
    ),
    EndReason.LOST_PROCESS: Explanation(
        _("The server process stopped unexpectedly."),
        _("Check the server's log at the time of the call."),
    ),
    EndReason.NOT_ANSWERED: Explanation(
        _("The call was not connected."),
        _("Check that the carrier reaches PUBLIC_BASE_URL by WebSocket, or run manage.py doctor."),
    ),
    EndReason.ENDED_BY_REQUEST: Explanation(_("The call was ended over the API.")),
    EndReason.ROOM_CLOSED: Explanation(_("The room was closed.")),
    EndReason.AGENT_NOT_DISPATCHED: Explanation(
        _("No agent could be dispatched to the room."),
        _("Check that LiveKit is reachable, or run manage.py doctor."),
    ),
    EndReason.AGENT_NEVER_JOINED: Explanation(
        _("No agent joined the room."),
        _("Check that the agents' worker runs (manage.py run_agent), or run manage.py doctor."),
    ),
    EndReason.AGENT_LOST: Explanation(
        _("The agent was lost during the call, and so was the one that took its place."),
        _("Check the log of the agents' worker at the time of the call."),
    ),
    EndReason.PHONE_NOT_REACHED: Explanation(
        _("LiveKit could not call the phone."),
        _("Check its SIP service and the outbound trunk of LIVEKIT_SIP_TRUNK_ID."),
    ),
    EndReason.ROOM_NOT_OPENED: Explanation(
        _("LiveKit did not open the room."),
        _("Check that LiveKit is reachable, or run manage.py doctor."),
    ),
    EndReason.FAILED_BY_REQUEST: Explanation(_("The call was marked as failed over the API.")),
    EndReason.PAGE_CHANGED_SESSION: Explanation(
        _("The caller's page tried to change the agent's instructions, or what it knows."),
        _("No page of ours does that: somebody has tampered with it. Prices and orders were not affected."),
    ),
    EndReason.BROWSER_NEVER_JOINED: Explanation(
        _("The caller's browser did not connect to the AI provider."),
        _("Its network may not allow WebRTC (UDP)."),
    ),
}

# Which limit refused a call of LINE_FULL (`refused_for` of its event `ringing`).
REFUSED_FOR: Mapping[str, Explanation] = {
    "organization": Explanation(
        _("The organization reached its maximum of concurrent calls."),
        _("Raise its “Maximum concurrent calls”."),
    ),
    "server": Explanation(
        _("The server process reached its maximum of concurrent calls."),
        _("Start another web process, or raise MAX_LIVE_CALLS."),
    ),
    "caller": Explanation(_("The caller already had two live calls.")),
    "draining": Explanation(_("The server was shutting down and took no new calls.")),
}

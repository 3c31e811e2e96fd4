"""What a caller in a browser reads when the call has ended: why, and what to do. No carrier speaks to this caller."""

from __future__ import annotations

from .end_reasons import EndReason

_LATER = "Call again in a few minutes."
# On the phone these go to a person or a message: telephony/twilio/services/follow_ups.py.
_NOT_HERE = "A phone call would now reach a person or take a message, which this line cannot."

SENTENCES = {
    EndReason.TRANSFERRED: "A call from a browser cannot be transferred to a person. Ring the number instead.",
    EndReason.CALLER_SILENT: "The agent heard nothing and hung up. Check your microphone, then call again.",
    EndReason.TOO_LONG: "The call has reached its longest time.",
    EndReason.PROVIDER_FAILED: f"The agent cannot speak right now. {_NOT_HERE} {_LATER}",
    EndReason.PROVIDER_REFUSED: f"The agent cannot speak right now: the AI provider refused the call. {_NOT_HERE}",
    EndReason.STREAM_LOST: "The connection broke off. Check your network, then call again.",
    EndReason.HUNG_UP_BY_OPERATOR: "Somebody else ended the call.",
    EndReason.SERVER_STOPPING: "The server is restarting. Call again in a minute.",
    EndReason.PAGE_CHANGED_SESSION: "The call was ended because this page changed what the agent is told. Reload it.",
    EndReason.BROWSER_NEVER_JOINED: (
        "Your browser did not connect to the agent. A network without UDP may be the reason: try another one."
    ),
    EndReason.LOST_PROCESS: f"Something went wrong on our side. {_LATER}",
}


def caller_sentence(reason: EndReason) -> str:
    """Empty where the end explains itself: somebody has hung up."""
    return SENTENCES.get(reason, "")

"""What VAPI's reason for the end of a call means for ours. VAPI has over 600, and adds to them: only their beginnings
are known here, and every reason is kept as it is."""

from __future__ import annotations

from sessions.calls.end_reasons import EndReason
from telephony.bridge.core.events import AgentEvent, AgentLeft, LinkUnusable

# The call is over because somebody, or a rule of the assistant, wanted that.
_REGULAR = (
    ("assistant-ended-call", EndReason.AGENT_HUNG_UP),
    ("assistant-said-end-call-phrase", EndReason.AGENT_HUNG_UP),
    ("assistant-said-message-with-end-call-enabled", EndReason.AGENT_HUNG_UP),
    ("call.ringing.hook-executed-say", EndReason.AGENT_HUNG_UP),
    ("customer-ended-call", EndReason.AGENT_HUNG_UP),
    ("vonage-completed", EndReason.AGENT_HUNG_UP),
    ("manually-canceled", EndReason.HUNG_UP_BY_OPERATOR),
    ("silence-timed-out", EndReason.CALLER_SILENT),
    ("call.in-progress.error-customer-speech-timeout", EndReason.CALLER_SILENT),
    ("customer-did-not-give-microphone-permission", EndReason.CALLER_SILENT),
    ("exceeded-max-duration", EndReason.TOO_LONG),
)
# Another call would end the same way: the assistant, the account or a key of a model is the cause.
_FOR_GOOD = (
    "assistant-not-found",
    "assistant-not-valid",
    "assistant-not-provided",
    "assistant-forwarded-call",
    "call.start.error-",
    "call.in-progress.error-assistant-did-not-receive-customer-audio",
    "license-check-failed",
)
_FOR_GOOD_PARTS = ("-401-", "-403-", "invalid-api-key", "subscription", "quota", "out-of-credits", "payment")
# VAPI itself, or a provider of its, has failed: another call may do better.
_FAILURES = ("error", "fault", "fail", "worker-shutdown", "disconnect", "outage")


def ending_of(reason: str) -> AgentEvent:
    """A regular end hangs up; a failure opens another call, or ends in the fallback."""
    for beginning, end_reason in _REGULAR:
        if reason.startswith(beginning):
            return AgentLeft(end_reason, reason)
    if reason.startswith(_FOR_GOOD) or any(part in reason for part in _FOR_GOOD_PARTS):
        return LinkUnusable(reason, is_fatal=True)
    if any(part in reason for part in _FAILURES):
        return LinkUnusable(reason, is_fatal=False)
    return AgentLeft(EndReason.AGENT_HUNG_UP, reason or "ended")

"""VAPI's reasons for the end of a call: an open set of more than 600 codes, classified by how they begin."""

from __future__ import annotations

from sessions.calls.end_reasons import EndReason

# The first that fits counts.
BY_PREFIX: tuple[tuple[str, EndReason], ...] = (
    ("customer-ended-call", EndReason.CALLER_HUNG_UP),
    ("customer-did-not-answer", EndReason.NOT_ANSWERED),
    ("customer-", EndReason.NOT_ANSWERED),  # busy, no microphone
    ("voicemail", EndReason.NOT_ANSWERED),
    ("assistant-forwarded-call", EndReason.TRANSFERRED),
    ("assistant-request-returned-forwarding", EndReason.TRANSFERRED),
    ("assistant-ended-call", EndReason.AGENT_HUNG_UP),
    ("assistant-said-end-call-phrase", EndReason.AGENT_HUNG_UP),
    ("assistant-", EndReason.PROVIDER_REFUSED),  # not found, not valid, did not join
    ("silence-timed-out", EndReason.CALLER_SILENT),
    ("exceeded-max-duration", EndReason.TOO_LONG),
    ("manually-canceled", EndReason.HUNG_UP_BY_OPERATOR),
    ("call-deleted", EndReason.HUNG_UP_BY_OPERATOR),
    ("scheduled-call-deleted", EndReason.HUNG_UP_BY_OPERATOR),
    ("call.forwarding.operator-busy", EndReason.AGENT_HUNG_UP),
    ("call.in-progress.twilio-completed", EndReason.CALLER_HUNG_UP),
    ("call.in-progress.sip-completed", EndReason.CALLER_HUNG_UP),
    ("vonage-completed", EndReason.CALLER_HUNG_UP),
    ("call.ringing.hook-executed-transfer", EndReason.TRANSFERRED),
    ("call.ending.hook-executed-transfer", EndReason.TRANSFERRED),
    ("call.ringing.sip-inbound-caller-hungup", EndReason.NOT_ANSWERED),
    ("call.ending.", EndReason.AGENT_HUNG_UP),
    ("call.start.error-", EndReason.PROVIDER_REFUSED),
    ("call-start-error-", EndReason.PROVIDER_REFUSED),
    ("phone-call-provider-", EndReason.STREAM_LOST),
    ("twilio-", EndReason.STREAM_LOST),
    ("vonage-", EndReason.STREAM_LOST),
)


def end_reason_of(ended_reason: str) -> EndReason:
    """Everything else, like `pipeline-error-…` and `worker-shutdown`, is a failure of the provider's."""
    return next((reason for prefix, reason in BY_PREFIX if ended_reason.startswith(prefix)), EndReason.PROVIDER_FAILED)

"""What is stored of VAPI's messages, which repeat the assistant with its secrets, and the numbers of both sides."""

from __future__ import annotations

from sessions.tools.services import clean
from telephony.events.allow_list import Allowed, kept, names
from voiceapp.providers.vapi.messages import VapiMessage

OURS: Allowed = {"metadata": names("callId")}
CALL: Allowed = {**names("id assistantId type"), **OURS, "assistantOverrides": OURS, "assistant": OURS}
HEAD: Allowed = {**names("type timestamp"), "call": CALL}
RECORDING = names("stereoUrl", mono=names("combinedUrl"))
ARTIFACT = names(
    "recordingUrl stereoRecordingUrl presignedMonoUrl presignedStereoUrl presignedUrlsExpiresAt",
    recording=RECORDING,
    # Until they are in the transcript: then they are removed (events.py).
    messages=names("role message secondsFromStart"),
)
COSTS = names("type cost minutes characters promptTokens completionTokens subType")

ALLOWED: dict[str, Allowed] = {
    "status-update": {**HEAD, **names("status endedReason")},
    "end-of-call-report": {
        **HEAD,
        **names("endedReason startedAt endedAt cost"),
        "costs": COSTS,
        "artifact": ARTIFACT,
    },
    "hang": HEAD,
    "transfer-update": {**HEAD, "destination": names("type")},
}


def kept_fields(message: VapiMessage) -> dict[str, object]:
    """As JSON that every database takes: without NUL and lone surrogates."""
    cleaned = clean(kept(message.record, ALLOWED.get(message.type, HEAD)))
    return cleaned if isinstance(cleaned, dict) else {}

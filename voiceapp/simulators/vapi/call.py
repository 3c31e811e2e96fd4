"""One call as `GET /call/{id}` shows it: its status, its artifact, what it cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from voiceapp.simulators.vapi.assistants import CallSettings, iso, now
from voiceapp.simulators.vapi.audio_format import AudioFormat
from voiceapp.simulators.vapi.call_audio import SIGNED_FOR_S, CallAudio
from voiceapp.simulators.vapi.costs import CallCosts
from voiceapp.simulators.vapi.faults import VapiFaults
from voiceapp.simulators.vapi.transcript import CallTranscript

CONCURRENCY_BLOCKED = "call.start.error-subscription-concurrency-limit-reached"


@dataclass(slots=True)
class VapiCall:
    """`request` is the body that created it; `address` is where its socket and its control URL are."""

    org_id: str
    request: dict[str, Any]
    settings: CallSettings
    audio_format: AudioFormat
    faults: VapiFaults
    address: str
    id: str = field(default_factory=lambda: str(uuid4()))
    status: str = "queued"
    ended_reason: str | None = None
    destination: dict[str, Any] | None = None
    name: str | None = None
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)
    started_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    costs: CallCosts | None = None
    audio: CallAudio | None = None
    transcript: CallTranscript = field(init=False)

    def __post_init__(self) -> None:
        self.transcript = CallTranscript(self.settings.instructions)
        self.name = self.request.get("name")

    @property
    def is_over(self) -> bool:
        return self.status == "ended"

    @property
    def duration_s(self) -> float:
        if self.started_at is None:
            return 0.0
        return ((self.ended_at or dt.datetime.now(dt.UTC)) - self.started_at).total_seconds()

    def begin(self) -> None:
        self.started_at = dt.datetime.now(dt.UTC)
        # `artifactPlan.recordingEnabled` is true unless an assistant says otherwise.
        if self.settings.plan("artifactPlan").get("recordingEnabled", True):
            self.audio = CallAudio()
        self.transcript.started_at_s = self.started_at.timestamp()
        self.set_status("in-progress")

    def finish(self, reason: str) -> None:
        self.ended_at, self.ended_reason = dt.datetime.now(dt.UTC), reason
        if self.audio is not None:
            self.audio.end()
        self.costs = CallCosts.of(self.settings, self.transcript, self.duration_s)
        self.set_status("ended")

    def set_status(self, status: str) -> None:
        self.status, self.updated_at = status, now()

    def shown(self, *, is_new: bool = False) -> dict[str, Any]:
        """The resource. The socket's URL is a secret, which only the response to its creation has."""
        transport: dict[str, Any] = {"provider": "vapi.websocket", "audioFormat": self.audio_format.shown()}
        socket_address = self.address.replace("http", "ws", 1)
        if "concurrency_blocked" not in self.faults and is_new and "no_url" not in self.faults:
            transport["websocketCallUrl"] = f"{socket_address}/{self.id}/transport"
        resource: dict[str, Any] = {
            "id": self.id, "orgId": self.org_id, "type": "vapi.websocketCall", "status": self.status,
            "createdAt": self.created_at, "updatedAt": self.updated_at, "transport": transport,
            "cost": self.costs.total if self.costs else 0, "name": self.name,
            **{key: self.request.get(key) for key in ("assistantId", "assistant", "assistantOverrides")},
            "subscriptionLimits": self._limits(),
        }  # fmt: skip
        has_control = self.settings.plan("monitorPlan").get("controlEnabled", True)
        if has_control and "no_monitor" not in self.faults:
            resource["monitor"] = {"controlUrl": f"{self.address}/{self.id}/control"}
        if self.started_at is not None:
            resource["startedAt"] = iso(self.started_at)
        if self.is_over:
            resource |= self.report()
        return {key: value for key, value in resource.items() if value is not None}

    def artifact(self) -> dict[str, Any]:
        return {
            "messages": self.transcript.messages,
            "messagesOpenAIFormatted": self.transcript.formatted,
            "transcript": self.transcript.text,
            "variableValues": self.settings.variables,
            "logUrl": f"{self.address}/{self.id}/log.jsonl.gz",
            **self._recording(),
        }

    def _recording(self) -> dict[str, Any]:
        """Where the recording of a call that is over can be fetched; each place of several ages of the API has it."""
        if self.audio is None or self.ended_at is None or "no_recording" in self.faults:
            return {}
        folder, signed = f"{self.address}/{self.id}/recording", f"X-Amz-Signature={self.audio.signature}"
        mono, stereo = f"{folder}/mono.wav", f"{folder}/stereo.wav"
        fields: dict[str, Any] = {
            "recording": {"mono": {"combinedUrl": mono}}, "recordingUrl": mono, "presignedMonoUrl": f"{mono}?{signed}",
            "presignedUrlsExpiresAt": iso(self.ended_at + dt.timedelta(seconds=SIGNED_FOR_S)),
        }  # fmt: skip
        if "recording_mono" not in self.faults:
            fields["recording"]["stereoUrl"] = fields["stereoRecordingUrl"] = stereo
            fields["presignedStereoUrl"] = f"{stereo}?{signed}"
        return fields

    def report(self) -> dict[str, Any]:
        """What the resource and the end-of-call report say of the end."""
        fields = {
            "endedReason": self.ended_reason,
            "startedAt": iso(self.started_at) if self.started_at else None,
            "endedAt": iso(self.ended_at) if self.ended_at else None,
            "cost": self.costs.total if self.costs else 0,
            "costs": self.costs.parts if self.costs else [],
            "costBreakdown": self.costs.breakdown() if self.costs else {},
            "artifact": self.artifact(),
            "analysis": {"summary": _summary(self.transcript), "successEvaluation": "true"},
            "destination": self.destination,
        }
        return {key: value for key, value in fields.items() if value is not None}

    def _limits(self) -> dict[str, Any]:
        is_blocked = "concurrency_blocked" in self.faults
        return {
            "concurrencyBlocked": is_blocked,
            "concurrencyLimit": 10,
            "remainingConcurrentCalls": 0 if is_blocked else 9,
        }


def _summary(transcript: CallTranscript) -> str:
    said = [each["message"] for each in transcript.messages if each["role"] == "user"]
    return f"The caller said: {' '.join(said)}" if said else "The caller said nothing."

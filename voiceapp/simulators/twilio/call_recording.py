"""A recording of a call that was started over REST: both directions of the line, sample by sample, until it stops.

https://www.twilio.com/docs/voice/api/recording#create-a-recording-resource
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from voiceapp.simulators.twilio.account import new_sid
from voiceapp.simulators.twilio.callbacks import Callback
from voiceapp.simulators.twilio.frames import SILENCE
from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.recording import KeptRecording, recording_resource
from voiceapp.simulators.twilio.speech_detector import SpeechDetector

SOURCE = "StartCallRecordingAPI"
# Until the audio can be fetched, and the callback says so.
_PROCESSING_S = 0.3
_SHORTEST_MS = 200
_TOO_SHORT, _SILENT = 16101, 16102


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """The form of the request. `track`: inbound is what the person says, outbound what the person hears."""

    channels: int = 1
    track: str = "both"
    callback: str = ""
    callback_method: str = "POST"
    callback_events: tuple[str, ...] = ("completed",)


class CallRecording:
    """Begins at once; ends with `stop` or with the call."""

    def __init__(self, call: CallLeg, plan: RecordingPlan) -> None:
        self.sid = new_sid("RE")
        self.call_sid = call.sid
        self.began_at = datetime.now(UTC)
        self.status = "in-progress"
        self.made_s = time.monotonic()
        self.ready_s = float("inf")
        self._call = call
        self._plan = plan
        self._is_skipping = False
        self._said, self._heard = bytearray(), bytearray()
        self._detectors = SpeechDetector(), SpeechDetector()
        call.line.taps.append(self._add)
        call.recordings.append(self)
        call.account.recordings[self.sid] = self
        call.log.recordings.append(self.sid)
        call.log.event("recording_started", sid=self.sid)
        self._report("in-progress")

    @property
    def channels(self) -> int:
        return self._plan.channels if self._plan.track == "both" else 1

    @property
    def has_audio(self) -> bool:
        """Enough of it to be kept."""
        return self._why_absent() is None

    def resource(self, sid: str, *, account_sid: str) -> Mapping[str, object]:
        resource = recording_resource(
            sid, account_sid=account_sid, call_sid=self.call_sid, channels=self.channels, made_at=self.began_at,
            duration=None, source=SOURCE, status=self.status,
        )  # fmt: skip
        return {**resource, "track": self._plan.track}

    def wav(self, *, channels: int) -> bytes:
        """There is none before it is over."""
        raise LookupError(self.sid)

    def change_to(self, status: str, *, is_skipping: bool = False) -> None:
        """`paused`, `in-progress` or `stopped`. `is_skipping`: nothing stands for a pause; otherwise silence does."""
        if status == "stopped":
            self.stop()
        else:
            self.status = status
            self._is_skipping = is_skipping

    def stop(self) -> None:
        """Once. A recording without speech, or of no length, is absent."""
        if self._add not in self._call.line.taps:
            return
        self._call.line.taps.remove(self._add)
        kept = self._kept()
        account = self._call.account
        if self.sid in account.recordings:  # it may have been deleted
            account.recordings[self.sid] = kept
        if kept.error_code is not None:
            self._report("absent", seconds=0, error_code=kept.error_code)
        else:
            self._report("completed", seconds=kept.duration_s)

    def _kept(self) -> KeptRecording:
        now_s = time.monotonic()
        said, heard = bytes(self._said), bytes(self._heard)
        first, second = (heard, said) if self._plan.track == "outbound" else (said, heard)
        return KeptRecording(
            self.call_sid, first, self.began_at, now_s, now_s + _PROCESSING_S,
            others_ulaw=second if self._plan.track == "both" else None, source=SOURCE, error_code=self._why_absent(),
            is_mixed=self._plan.channels == 1,
        )  # fmt: skip

    def _why_absent(self) -> int | None:
        faults = self._call.faults
        if "recording_absent" in faults:
            return int(faults.number("recording_absent"))
        if len(self._said) < _SHORTEST_MS * 8:
            return _TOO_SHORT
        return None if any(each.latest is not None for each in self._detectors) else _SILENT

    def _add(self, said: bytes, heard: bytes) -> None:
        if self.status == "paused":
            if self._is_skipping:
                return
            said = heard = SILENCE
        self._said += said
        self._heard += heard
        for detector, frame in zip(self._detectors, (said, heard), strict=True):
            detector.process(frame)

    def _report(self, status: str, *, seconds: int | None = None, error_code: int | None = None) -> None:
        plan, call = self._plan, self._call
        if not plan.callback or status not in plan.callback_events or "recording_unreported" in call.faults:
            return
        account = call.account
        params = {
            "AccountSid": account.sid,
            "CallSid": call.sid,
            "RecordingSid": self.sid,
            "RecordingUrl": f"{account.base_url}/2010-04-01/Accounts/{account.sid}/Recordings/{self.sid}",
            "RecordingStatus": status,
            "RecordingChannels": str(self.channels),
            "RecordingSource": SOURCE,
            "RecordingStartTime": format_datetime(self.began_at),
            "RecordingTrack": plan.track,
        }
        if seconds is not None:
            params["RecordingDuration"] = str(seconds)
        if error_code is not None:
            params["ErrorCode"] = str(error_code)
        callback = Callback(plan.callback, params, plan.callback_method)
        wait_s = 0.0 if status == "in-progress" else _PROCESSING_S
        for _ in range(2 if "callbacks_doubled" in call.faults else 1):
            account.fetch_in_background(_send(call, callback, wait_s=wait_s))


async def _send(call: CallLeg, callback: Callback, *, wait_s: float) -> None:
    await asyncio.sleep(wait_s)
    await call.account.webhooks.request(
        callback.url,
        callback.params,
        method=callback.method,
        has_valid_signature=not call.faults.breaks_signature_of("callbacks"),
    )

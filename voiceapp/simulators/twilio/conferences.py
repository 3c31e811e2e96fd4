"""Conferences of an account: who takes part, when each one starts and ends, and what everybody hears.

Attributes and callbacks: www.twilio.com/docs/voice/twiml/conference.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum

import numpy as np

from voiceapp.simulators import mulaw
from voiceapp.simulators.twilio.callbacks import Callback, Callbacks
from voiceapp.simulators.twilio.frames import FRAME_BYTES, SILENCE
from voiceapp.simulators.twilio.line import Line

_MAX_FRAMES_BETWEEN = 5
_STARTS_WITH = 2
_BEEP_HZ, _BEEP_S = 480, 0.2


class ConferenceStatus(StrEnum):
    INIT = "init"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"


class Participant:
    """One leg in a conference. `attributes` are those of its `<Conference>`; `dropped` is done when it must leave."""

    def __init__(self, call_sid: str, line: Line, attributes: Mapping[str, str]) -> None:
        self.call_sid = call_sid
        self.line = line
        self.attributes = attributes
        self.dropped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.started = asyncio.Event()
        self._inbox: dict[str, deque[bytes]] = {}

    def claims(self, attribute: str, default: str) -> bool:
        return self.attributes.get(attribute, default) == "true"

    def hear(self, call_sid: str, frame: bytes) -> None:
        self._inbox.setdefault(call_sid, deque(maxlen=_MAX_FRAMES_BETWEEN)).append(frame)

    def hear_beep(self) -> None:
        self._inbox["beep"] = deque(_beep())

    def next_frame(self, _now_ms: int) -> bytes:
        return _mixed([frames.popleft() for frames in self._inbox.values() if frames])


class Conference:
    """A room by its name. Over when `status` is completed: the next one of the same name is another conference."""

    def __init__(self, sid: str, name: str, *, account_sid: str, callbacks: Callbacks) -> None:
        self.sid = sid
        self.name = name
        self.status = ConferenceStatus.INIT
        self.participants: list[Participant] = []
        self.created_at = datetime.now(UTC)
        self.callbacks = callbacks
        self._account_sid = account_sid
        self._callback: Mapping[str, str] = {}
        self._sequence_number = 0

    @property
    def is_over(self) -> bool:
        return self.status is ConferenceStatus.COMPLETED

    def join(self, participant: Participant) -> None:
        self.participants.append(participant)
        if participant.attributes.get("statusCallback") and not self._callback:
            self._callback = participant.attributes  # that of the first participant holds for the conference
        self._send("join", participant)
        self._beep(participant, "onEnter")
        may_start = any(each.claims("startConferenceOnEnter", "true") for each in self.participants)
        if self.status is ConferenceStatus.INIT and may_start and len(self.participants) >= _STARTS_WITH:
            self.status = ConferenceStatus.IN_PROGRESS
            self._send("start", participant)
        if self.status is ConferenceStatus.IN_PROGRESS:
            for each in self.participants:
                self._connect(each)

    def leave(self, participant: Participant) -> None:
        if participant not in self.participants:
            return
        self.participants.remove(participant)
        participant.line.microphone = participant.line.speaker = None
        self._send("leave", participant)
        self._beep(participant, "onExit")
        if participant.claims("endConferenceOnExit", "false"):
            self.end("participant-with-end-conference-on-exit-left", by=participant.call_sid)
        elif not self.participants:
            self.end("last-participant-left", by=participant.call_sid)

    def end(self, reason: str, *, by: str = "") -> None:
        if self.is_over:
            return
        self.status = ConferenceStatus.COMPLETED
        for participant in self.participants:
            if not participant.dropped.done():
                participant.dropped.set_result(None)
        self._send("end", None, ReasonConferenceEnded=reason, **({"CallSidEndingConference": by} if by else {}))

    def _connect(self, participant: Participant) -> None:
        if participant.started.is_set():
            return
        participant.started.set()
        participant.line.speaker = participant.next_frame
        participant.line.microphone = lambda frame: self._say(participant, frame)

    def _say(self, speaker: Participant, frame: bytes) -> None:
        if speaker.claims("muted", "false"):
            return
        for each in self.participants:
            if each is not speaker:
                each.hear(speaker.call_sid, frame)

    def _beep(self, about: Participant, when: str) -> None:
        if about.attributes.get("beep", "true") in ("true", when):
            for each in self.participants:
                if each is not about:
                    each.hear_beep()

    def _send(self, event: str, about: Participant | None, **extra: str) -> None:
        callback = self._callback
        if event not in callback.get("statusCallbackEvent", "").split():
            return
        kind = "conference" if event in ("start", "end") else "participant"
        params = {
            "ConferenceSid": self.sid,
            "FriendlyName": self.name,
            "AccountSid": self._account_sid,
            "SequenceNumber": str(self._sequence_number),
            "Timestamp": format_datetime(datetime.now(UTC)),
            "StatusCallbackEvent": f"{kind}-{event}",
        }
        self._sequence_number += 1
        if about is not None:
            params |= {
                "CallSid": about.call_sid,
                "Muted": about.attributes.get("muted", "false"),
                "Hold": "false",
                "Coaching": "false",
                "StartConferenceOnEnter": about.attributes.get("startConferenceOnEnter", "true"),
                "EndConferenceOnExit": about.attributes.get("endConferenceOnExit", "false"),
            }
            if label := about.attributes.get("participantLabel"):
                params["ParticipantLabel"] = label
        method = callback.get("statusCallbackMethod", "POST")
        self.callbacks.send(Callback(callback["statusCallback"], params | extra, method))


def _mixed(frames: list[bytes]) -> bytes:
    """What several say at once, as one frame."""
    if not frames:
        return SILENCE
    if len(frames) == 1:
        return frames[0]
    total = sum(np.frombuffer(mulaw.decode(frame), "<i2").astype(np.int32) for frame in frames)
    return mulaw.encode(np.clip(total, -32768, 32767).astype("<i2").tobytes())


def _beep() -> list[bytes]:
    times = np.arange(int(_BEEP_S * 8000)) / 8000
    audio = mulaw.encode((4000 * np.sin(2 * np.pi * _BEEP_HZ * times)).astype("<i2").tobytes())
    return [audio[start : start + FRAME_BYTES] for start in range(0, len(audio), FRAME_BYTES)]

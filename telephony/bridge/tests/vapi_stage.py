"""A phone and a VAPI assistant around one PhoneCall: the assistant speaks the events of VAPI's websocket transport."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from sessions.calls.briefing import Briefing
from telephony.bridge.core.actions import Action
from telephony.bridge.phone_call import PhoneCall
from telephony.bridge.twilio.frames import TwilioCodec
from telephony.bridge.vapi import frames as wire
from telephony.bridge.vapi.dialect import VapiDialect

from .stage import Phone, Stage, briefing

TOOLS = ("look_up_items", "change_order", "end_call", "transfer_call")


class VapiStage(Stage):
    """`at_once`: VAPI sends its sound ahead of real time; else `sound` lets the time pass that it lasts."""

    def __init__(self, brief: Briefing | None = None, *, opened: bool = True) -> None:
        self.brief = brief or briefing()
        self.dialect: VapiDialect | None = None
        self.call = PhoneCall(self.brief, codec=TwilioCodec("MZ1"), make_dialect=self._dialect)
        self.phone = Phone()
        self.ms = 0
        self.to_agent: list[dict[str, Any]] = []
        self.caller_audio = b""
        self.actions: list[Action] = []
        self.marks_before_media = False
        self.call.time_passed(0)
        self.flush()
        if opened:
            self.open()

    def _dialect(self, clock: Any) -> VapiDialect:
        protects = self.brief.protects_greeting and bool(self.brief.phrases.greeting)
        self.dialect = VapiDialect(clock, tools=TOOLS, protects_greeting=protects)
        return self.dialect

    def open(self) -> None:
        self.agent_says(wire.created("7420f27a"))
        self.call.link_opened()
        self.event("assistant.started", newAssistant={"name": "Garage"}, timestamp=1700000000000)

    def event(self, kind: str, **fields: Any) -> None:
        self.agent_says(json.dumps({"type": kind, **fields}))

    def user(self, status: str) -> None:
        self.event("speech-update", status=status, role="user", turn=1)

    def assistant(self, status: str) -> None:
        self.event("speech-update", status=status, role="assistant", turn=1)

    def transcript(self, role: str, text: str, kind: str = "final") -> None:
        self.event("transcript", role=role, transcriptType=kind, transcript=text)

    def sound(self, ms: int, byte: int = 0x20, *, frame_ms: int = 20, at_once: bool = False) -> None:
        for _ in range(ms // frame_ms):
            self.binary(bytes([byte]) * (frame_ms * 8))
            if not at_once:
                self.listen(frame_ms)

    def binary(self, audio: bytes) -> None:
        """As the link hands a binary frame on."""
        self.agent_says(b64encode(audio).decode())

    def speaks(self, ms: int, text: str, byte: int = 0x20) -> None:
        """A whole utterance in real time, as VAPI sends it."""
        self.assistant("started")
        self.sound(ms, byte)
        self.transcript("assistant", text)
        self.assistant("stopped")

    def says(self, text: str, *, for_ms: int = 1_000) -> None:
        """The caller's turn."""
        self.user("started")
        self.listen(for_ms)
        self.transcript("user", text)
        self.user("stopped")

    def flush(self) -> None:
        texts = self.call.to_agent.copy()
        self.call.to_agent.clear()
        for text in texts:
            if text.startswith("{"):
                self.to_agent.append(json.loads(text))
            else:
                self.caller_audio += b64decode(text, validate=True)
        self.actions += self.call.actions
        self.call.actions.clear()
        texts = self.call.to_caller.copy()
        self.call.to_caller.clear()
        for text in texts:
            self.phone.receive(text)

    @property
    def spoken_by_us(self) -> list[str]:
        """What VAPI was told to say."""
        return [frame["content"] for frame in self.sent("say")]

"""A phone and an agent around one PhoneCall: the phone plays at exactly 8 kHz and echoes marks as Twilio does, the
agent speaks OpenAI's GA events. Every item's audio is made of one byte, so that what was heard of it can be counted."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections import Counter, deque
from dataclasses import replace
from functools import partial
from typing import Any

from sessions.calls.briefing import Briefing, CallLimits, Phrases, TurnDetection
from sessions.calls.facts import Fact, LineSpoken, SomethingHappened
from sessions.calls.outcomes import ToolResult
from telephony.bridge.core.actions import Action, CloseCall, CloseLink, LinkLoss, OpenLink, Record, RunTool
from telephony.bridge.openai.dialect import OpenAIDialect
from telephony.bridge.phone_call import PhoneCall
from telephony.bridge.twilio.frames import TwilioCodec

SILENT = b"\xff" * 160


def briefing(greeting: str = "", **changes: Any) -> Briefing:
    plain = Briefing(
        call_id="call-1",
        model="gpt-realtime-2.1",
        voice="marin",
        language="en",
        instructions="Take orders.",
        keywords=("Margherita",),
        tools=(),
        phrases=Phrases(greeting=greeting),
        transcription_model="gpt-transcribe",
        reading_tools=frozenset({"look_up_items", "get_opening_hours"}),
    )
    return replace(plain, **changes)


def session(**turn_detection: Any) -> dict[str, object]:
    detection = {
        "type": "server_vad",
        "silence_duration_ms": 500,
        "create_response": True,
        "interrupt_response": True,
        **turn_detection,
    }
    pcmu = {"type": "audio/pcmu"}
    return {
        "type": "realtime",
        "audio": {"input": {"format": pcmu, "turn_detection": detection}, "output": {"format": pcmu, "voice": "marin"}},
    }


class Phone:
    """Plays what it receives, in steps of 20 ms. A clear echoes every pending mark, audio unplayed (Twilio A3)."""

    def __init__(self) -> None:
        self.queue: deque[int | str] = deque()
        self.heard: Counter[int] = Counter()
        self.frames: list[dict[str, Any]] = []
        self.media_bytes: list[int] = []
        self.echoes: list[str] = []
        self.loses_echoes = False
        self.is_stuck = False

    def receive(self, text: str) -> None:
        frame = json.loads(text)
        self.frames.append(frame)
        match frame["event"]:
            case "media":
                audio = b64decode(frame["media"]["payload"], validate=True)
                self.media_bytes.append(len(audio))
                self.queue.extend(audio)
            case "mark":
                self.queue.append(frame["mark"]["name"])
            case "clear":
                self.echoes += [entry for entry in self.queue if isinstance(entry, str)]
                self.queue.clear()

    def play(self, ms: int) -> None:
        left = ms * 8
        while not self.is_stuck and self.queue and (left or isinstance(self.queue[0], str)):
            entry = self.queue.popleft()
            if isinstance(entry, str):
                self.echoes.append(entry)
            else:
                self.heard[entry] += 1
                left -= 1

    def take_echoes(self) -> list[str]:
        echoes, self.echoes = self.echoes, []
        return [] if self.loses_echoes else echoes

    @property
    def clears(self) -> int:
        return sum(frame["event"] == "clear" for frame in self.frames)

    @property
    def waiting_ms(self) -> int:
        return sum(isinstance(entry, int) for entry in self.queue) // 8


class Stage:
    """`ms` is the stream's time: `listen` lets it pass. All output is kept for the test."""

    def __init__(
        self,
        brief: Briefing | None = None,
        *,
        opened: bool = True,
        ticked: bool = True,
        kind: type[PhoneCall] = PhoneCall,
        **turn_detection: Any,
    ) -> None:
        self.brief = brief or briefing()
        protects = self.brief.protects_greeting and bool(self.brief.phrases.greeting)
        make_dialect = partial(OpenAIDialect, session(**turn_detection), protects_greeting=protects)
        self.call = kind(self.brief, codec=TwilioCodec("MZ1"), make_dialect=make_dialect)
        self.phone = Phone()
        self.ms = 0
        self.to_agent: list[dict[str, Any]] = []
        self.caller_audio = b""
        self.actions: list[Action] = []
        self.marks_before_media = False
        if ticked:
            self.call.time_passed(0)
        self.flush()
        if opened:
            self.open()

    # -- the link

    def open(self) -> None:
        self.call.link_opened()
        self.agent("session.created", session={"type": "realtime"})
        self.agent("session.updated", session={"type": "realtime"})

    def lose_link(self, code: int | None = 1006, reason: str = "", *, is_fatal: bool = False) -> None:
        self.call.link_lost(LinkLoss(code, reason, is_fatal))
        self.flush()

    # -- the caller

    def listen(self, ms: int, *, frames: bool = True) -> None:
        """Time passes: the phone plays, the caller's silence streams in, the shell ticks every 100 ms."""
        for _ in range(ms // 20):
            self.phone.play(20)
            if self.marks_before_media:
                self.echo()
            if frames:
                self.frame(self.ms)
            self.ms += 20
            self.echo()
            if self.ms % 100 == 0:
                self.call.time_passed(self.ms)
            self.flush()

    def frame(self, timestamp: int | None, audio: bytes = SILENT) -> None:
        media: dict[str, object] = {"track": "inbound", "payload": b64encode(audio).decode()}
        if timestamp is not None:
            media["timestamp"] = str(timestamp)
        self.call.caller_frame(json.dumps({"event": "media", "streamSid": "MZ1", "media": media}))

    def echo(self) -> None:
        for name in self.phone.take_echoes():
            self.call.caller_frame(json.dumps({"event": "mark", "streamSid": "MZ1", "mark": {"name": name}}))
            self.flush()

    def press(self, digit: str) -> None:
        self.call.caller_frame(json.dumps({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": digit}}))
        self.flush()

    def speak(self, item: str = "u1") -> None:
        """The provider hears the caller begin, with its session's clock at the newest audio."""
        self.agent("input_audio_buffer.speech_started", item_id=item, audio_start_ms=len(self.caller_audio) // 8)

    def fall_silent(self, item: str = "u1") -> None:
        self.agent("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=len(self.caller_audio) // 8)

    def commit(self, item: str = "u1") -> None:
        self.agent("input_audio_buffer.committed", item_id=item, previous_item_id=None)

    def take_turn(self, item: str = "u1", text: str = "", *, for_ms: int = 1_000) -> None:
        self.speak(item)
        self.listen(for_ms)
        self.fall_silent(item)
        self.commit(item)
        if text:
            self.transcribe(item, text)

    def transcribe(self, item: str, text: str, **more: Any) -> None:
        kind = "conversation.item.input_audio_transcription.completed"
        self.agent(kind, item_id=item, content_index=0, transcript=text, **more)

    # -- the agent

    def agent(self, kind: str, **fields: Any) -> None:
        self.agent_says(json.dumps({"type": kind, "event_id": "event_1", **fields}, separators=(",", ":")))

    def agent_says(self, text: str) -> None:
        self.call.agent_frame(text)
        self.flush()

    def begin(self, response: str = "r1") -> None:
        self.agent("response.created", response={"id": response, "status": "in_progress"})

    def audio(
        self, response: str, item: str, ms: int, byte: int, *, content_index: int = 0, deltas_of: int = 400
    ) -> None:
        while ms > 0:
            size = min(ms, deltas_of)
            self.delta(response, item, bytes([byte]) * (size * 8), content_index=content_index)
            ms -= size

    def delta(self, response: str, item: str, audio: bytes, *, content_index: int = 0) -> None:
        place = {"response_id": response, "item_id": item, "output_index": 0, "content_index": content_index}
        self.agent("response.output_audio.delta", **place, delta=b64encode(audio).decode())

    def audio_done(self, response: str, item: str, *, content_index: int = 0) -> None:
        self.agent("response.output_audio.done", response_id=response, item_id=item, content_index=content_index)

    def text(self, item: str, text: str, *, whole: bool = False) -> None:
        if whole:
            self.agent("response.output_audio_transcript.done", item_id=item, transcript=text)
        else:
            self.agent("response.output_audio_transcript.delta", item_id=item, delta=text)

    def request_tool(self, response: str, call_id: str, name: str = "change_order", **item: Any) -> None:
        whole = {"id": f"item_{call_id}", "type": "function_call", "status": "completed", "call_id": call_id}
        whole |= {"name": name, "arguments": "{}"} | item
        self.agent("response.output_item.done", response_id=response, output_index=0, item=whole)

    def answer_tool(self, call_id: str, output: str = '{"ok": true}', then: Any = None) -> None:
        self.call.tool_finished(call_id, ToolResult(output, then))
        self.flush()

    def done(self, response: str = "r1", status: str = "completed", **more: Any) -> None:
        self.agent("response.done", response={"id": response, "status": status, "output": [], **more})

    def fail(self, response: str, code: str = "server_error") -> None:
        self.done(response, "failed", status_details={"type": "failed", "error": {"code": code, "message": "no"}})

    def say(self, response: str, item: str, ms: int, byte: int, text: str = "") -> None:
        """A whole spoken response, in a burst ahead of real time."""
        self.begin(response)
        if text:
            self.text(item, text)
        self.audio(response, item, ms, byte)
        self.audio_done(response, item)
        if text:
            self.text(item, text, whole=True)
        self.done(response)

    # -- what came of it

    def flush(self) -> None:
        texts = self.call.to_agent.copy()
        self.call.to_agent.clear()
        for frame in map(json.loads, texts):
            if frame["type"] == "input_audio_buffer.append":
                self.caller_audio += b64decode(frame["audio"], validate=True)
            else:
                self.to_agent.append(frame)
        self.actions += self.call.actions
        self.call.actions.clear()
        texts = self.call.to_caller.copy()
        self.call.to_caller.clear()
        for text in texts:
            self.phone.receive(text)

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """The frames of this type that the agent was sent."""
        return [frame for frame in self.to_agent if frame["type"] == kind]

    @property
    def truncations(self) -> list[tuple[str, int]]:
        return [(frame["item_id"], frame["audio_end_ms"]) for frame in self.sent("conversation.item.truncate")]

    @property
    def requested(self) -> list[str]:
        """One entry per response.create: the text to say, or "" for an answer of its own."""
        said = [frame.get("response", {}).get("instructions", "") for frame in self.sent("response.create")]
        return [words.removeprefix('Say exactly: "').removesuffix('"') for words in said]

    @property
    def facts(self) -> list[Fact]:
        return [action.fact for action in self.actions if isinstance(action, Record)]

    def facts_of(self, kind: type) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    @property
    def lines(self) -> list[LineSpoken]:
        """The transcript as it stands: the newest text of each line, in the order spoken."""
        newest = {line.item_id: line for line in self.facts_of(LineSpoken)}
        return sorted(newest.values(), key=lambda line: line.spoken_at_ms)

    @property
    def happened(self) -> list[str]:
        return [fact.kind for fact in self.facts if isinstance(fact, SomethingHappened)]

    @property
    def tools(self) -> list[RunTool]:
        return [action for action in self.actions if isinstance(action, RunTool)]

    @property
    def links_opened(self) -> int:
        return sum(isinstance(action, OpenLink) for action in self.actions)

    @property
    def links_closed(self) -> int:
        return sum(isinstance(action, CloseLink) for action in self.actions)

    def is_over(self) -> bool:
        return self.call.is_over

    def ending(self) -> CloseCall | None:
        return next((action for action in self.actions if isinstance(action, CloseCall)), None)


__all__ = ["CallLimits", "Phrases", "Stage", "TurnDetection", "briefing", "session"]

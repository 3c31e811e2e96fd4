"""OpenAI Realtime as the load plays it: one long answer per session, made of the caller's own frames."""

from __future__ import annotations

import asyncio
import json

from frames import Faults, FrameChecker, read_frame, split_audio
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

TEXT = WSMsgType.TEXT
CLOSE = WSMsgType.CLOSE
APPEND = b'{"type":"input_audio_buffer.append","audio":"'
FRAME_LETTERS = 216


class RealtimeSession(WSListener):
    """One session. Each appended frame comes back as a delta of its own as soon as a response was requested."""

    def __init__(self, provider: LoadProvider) -> None:
        self.provider = provider
        self.number = provider.next_number()
        self.checker: FrameChecker | None = None
        self.is_answering = False
        self.waiting: list[bytes] = []
        self.events = 0
        item = f'"response_id":"resp_{self.number}","item_id":"item_{self.number}","output_index":0,"content_index":0'
        self.delta_head = f'{{"type":"response.output_audio.delta","event_id":"event_{self.number}_'.encode()
        self.delta_middle = f'",{item},"delta":"'.encode()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.provider.sessions.add(self)
        self.say("session.created", session={"type": "realtime", "object": "realtime.session", "id": self.id("sess")})

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        message = frame.get_payload_as_bytes()
        if message.startswith(APPEND) and message.endswith(b'"}'):
            self.hear(message[len(APPEND) : -2])
        elif frame.msg_type == TEXT:
            self.obey(json.loads(message))
        elif frame.msg_type == CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.provider.sessions.discard(self)

    def hear(self, payload: bytes) -> None:
        if len(payload) != FRAME_LETTERS:
            for frame in split_audio(payload):
                self.take(frame)
        else:
            self.take(payload)

    def take(self, payload: bytes) -> None:
        checker = self.checker
        if checker is None:
            checker = self.checker = self.begin_checking(payload)
        if checker is not None:
            checker.check(payload)
        if self.is_answering:
            self.answer(payload)
        else:
            self.waiting.append(payload)

    def begin_checking(self, payload: bytes) -> FrameChecker | None:
        known = read_frame(payload)
        if known is None:
            self.provider.strange_frames += 1
            return None
        checker = FrameChecker(known[0])
        self.provider.checkers.append(checker)
        return checker

    def answer(self, payload: bytes) -> None:
        self.events += 1
        self.transport.send(TEXT, b'%b%d%b%b"}' % (self.delta_head, self.events, self.delta_middle, payload))

    def obey(self, event: dict[str, object]) -> None:
        kind = event.get("type")
        if kind == "session.update":
            self.say("session.updated", session=event.get("session"))
        elif kind == "response.create" and not self.is_answering:
            self.begin_answer()
        elif kind == "response.create":
            error = {"type": "invalid_request_error", "code": "conversation_already_has_active_response", "message": ""}
            self.say("error", error=error)
        elif kind == "input_audio_buffer.append":
            audio = str(event.get("audio")).encode()
            self.hear(audio)
        elif kind == "conversation.item.truncate":
            self.provider.truncations += 1

    def begin_answer(self) -> None:
        response = {"object": "realtime.response", "id": self.id("resp"), "status": "in_progress", "output": []}
        item = {"id": self.id("item"), "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        place = {"response_id": self.id("resp"), "output_index": 0}
        self.say("response.created", response=response)
        self.say("response.output_item.added", **place, item=item)
        self.say("conversation.item.added", item=item, previous_item_id=None)
        part = {"type": "audio", "transcript": ""}
        self.say("response.content_part.added", **place, item_id=self.id("item"), content_index=0, part=part)
        self.is_answering = True
        for payload in self.waiting:
            self.answer(payload)
        self.waiting.clear()

    def say(self, kind: str, **fields: object) -> None:
        self.events += 1
        event = {"type": kind, "event_id": f"event_{self.number}_{self.events}", **fields}
        self.transport.send(TEXT, json.dumps(event, separators=(",", ":")).encode())

    def id(self, kind: str) -> str:
        return f"{kind}_{self.number}"


class LoadProvider:
    """The server of those sessions; knows which are open and what their frames looked like."""

    def __init__(self) -> None:
        self.sessions: set[RealtimeSession] = set()
        self.checkers: list[FrameChecker] = []
        self.strange_frames = 0
        self.truncations = 0
        self._last_number = 0

    def next_number(self) -> int:
        self._last_number += 1
        return self._last_number

    async def listen(self, port: int) -> asyncio.Server:
        return await ws_create_server(self._admit, "127.0.0.1", port)

    def _admit(self, request: WSUpgradeRequest) -> RealtimeSession | None:
        return RealtimeSession(self) if request.path.startswith(b"/v1/realtime") else None

    async def drop_all(self) -> None:
        """Closes what the other side left open."""
        left = list(self.sessions)
        for session in left:
            session.transport.disconnect(graceful=False)
        await asyncio.gather(*(session.transport.wait_disconnected() for session in left))

    def faults(self, sent: dict[int, int]) -> Faults:
        """What the callers' frames suffered on their way here, given how many each call sent."""
        found = Faults(corrupt=self.strange_frames)
        heard = set()
        for checker in self.checkers:
            heard.add(checker.call)
            found.add(checker.faults(sent.get(checker.call, 0)))
        found.lost += sum(frames for call, frames in sent.items() if call not in heard)
        return found

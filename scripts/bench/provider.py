"""OpenAI Realtime as the load plays it: one long answer per session, made of the caller's own frames."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from array import array
from binascii import a2b_base64, b2a_base64
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter

from connection import Connection, Sockets, TlsWire, Wire
from frames import FRAME_MS, Faults, FrameChecker, make_frame, read_frame, split_audio
from handshake import Admission

APPEND = b'{"type":"input_audio_buffer.append","audio":"'
FRAME_LETTERS = 216
TALK_FRAMES = 10


@dataclass(frozen=True, slots=True)
class Manner:
    """How the provider behaves: it returns what it hears, or `talks` in deltas of 200 ms.

    `captions_every_s`: it says what it says as text, too, this often: the time at which it does, by the load's clock.
    `certificate`: a file with key and certificate; it speaks TLS if there is one. `vapi_port`: it speaks VAPI's
    protocol, and has its REST API there.
    """

    talks: bool = False
    captions_every_s: float = 0.0
    certificate: str = ""
    connects_after_s: float = 0.0
    speaks_after_s: float = 0.0
    vapi_port: int = 0


class RealtimeSession(Connection):
    """One session. Each appended frame comes back as a delta of its own as soon as a response was requested."""

    __slots__ = (
        "checker",
        "delta_head",
        "delta_middle",
        "events",
        "is_answering",
        "number",
        "provider",
        "waiting",
        "was_asked",
    )

    def __init__(self, provider: LoadProvider) -> None:
        super().__init__()
        self.provider = provider
        self.number = provider.next_number()
        self.checker: FrameChecker | None = None
        self.was_asked = False
        self.is_answering = False
        self.waiting: list[bytes] = []
        self.events = 0
        item = f'"response_id":"resp_{self.number}","item_id":"item_{self.number}","output_index":0,"content_index":0'
        self.delta_head = f'{{"type":"response.output_audio.delta","event_id":"event_{self.number}_'.encode()
        self.delta_middle = f'",{item},"delta":"'.encode()

    def greet(self) -> None:
        self.say_event(
            "session.created", session={"type": "realtime", "object": "realtime.session", "id": self.id("sess")}
        )

    def on_text(self, message: bytes) -> None:
        if message.startswith(APPEND) and message.endswith(b'"}'):
            self.hear(message[len(APPEND) : -2])
        else:
            self.obey(json.loads(message))

    def on_strange_frame(self) -> None:
        self.provider.strange_frames += 1

    def on_disconnected(self) -> None:
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
        if self.provider.manner.talks:
            return
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
        self.say(b'%b%d%b%b"}' % (self.delta_head, self.events, self.delta_middle, payload))

    def obey(self, event: dict[str, object]) -> None:
        kind = event.get("type")
        if kind == "session.update":
            self.say_event("session.updated", session=event.get("session"))
        elif kind == "response.create" and not self.was_asked:
            self.was_asked = True
            self.begin_answer()
        elif kind == "response.create":
            error = {"type": "invalid_request_error", "code": "conversation_already_has_active_response", "message": ""}
            self.say_event("error", error=error)
        elif kind == "input_audio_buffer.append":
            audio = str(event.get("audio")).encode()
            self.hear(audio)
        elif kind == "conversation.item.truncate":
            self.provider.truncations += 1

    def begin_answer(self) -> None:
        response = {"object": "realtime.response", "id": self.id("resp"), "status": "in_progress", "output": []}
        item = {"id": self.id("item"), "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        place = {"response_id": self.id("resp"), "output_index": 0}
        self.say_event("response.created", response=response)
        self.say_event("response.output_item.added", **place, item=item)
        self.say_event("conversation.item.added", item=item, previous_item_id=None)
        part = {"type": "audio", "transcript": ""}
        self.say_event("response.content_part.added", **place, item_id=self.id("item"), content_index=0, part=part)
        asyncio.get_running_loop().call_later(self.provider.manner.speaks_after_s, self.begin_to_speak)

    def begin_to_speak(self) -> None:
        self.is_answering = True
        if self.provider.manner.talks:
            self.talk(asyncio.get_running_loop().time())
        if self.provider.manner.captions_every_s:
            self.caption()
        for payload in self.waiting:
            self.answer(payload)
        self.waiting.clear()
        self.flush()

    def caption(self) -> None:
        if not self.is_connected:
            return
        place = {"response_id": self.id("resp"), "item_id": self.id("item"), "output_index": 0, "content_index": 0}
        self.say_event("response.output_audio_transcript.delta", **place, delta=f"{perf_counter():.3f} ")
        self.flush()
        asyncio.get_running_loop().call_later(self.provider.manner.captions_every_s, self.caption)

    def talk(self, due_at: float) -> None:
        """A delta of ten numbered frames now, and the next one 200 ms later."""
        if not self.is_connected:
            return
        if self.checker is not None:
            call = self.checker.call
            said_at = self.provider.said_at[call]
            frames = [make_frame(call, len(said_at) + place) for place in range(TALK_FRAMES)]
            said_at.extend([perf_counter()] * TALK_FRAMES)
            self.answer(b2a_base64(b"".join(map(a2b_base64, frames)), newline=False))
            self.flush()
        due_at += TALK_FRAMES * FRAME_MS / 1000
        asyncio.get_running_loop().call_at(due_at, self.talk, due_at)

    def say_event(self, kind: str, **fields: object) -> None:
        self.events += 1
        event = {"type": kind, "event_id": f"event_{self.number}_{self.events}", **fields}
        self.say(json.dumps(event, separators=(",", ":")).encode())

    def id(self, kind: str) -> str:
        return f"{kind}_{self.number}"


class LoadProvider:
    """The server of those sessions; knows which are open and what their frames looked like."""

    def __init__(self, sockets: Sockets, manner: Manner, session: type[RealtimeSession] = RealtimeSession) -> None:
        self._session = session
        self.manner = manner
        self.said_at: defaultdict[int, array[float]] = defaultdict(lambda: array("d"))
        self.sessions: set[RealtimeSession] = set()
        self.checkers: list[FrameChecker] = []
        self.strange_frames = 0
        self.truncations = 0
        self._sockets = sockets
        self._last_number = 0
        self._tls: ssl.SSLContext | None = None
        if manner.certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(manner.certificate)

    def next_number(self) -> int:
        self._last_number += 1
        return self._last_number

    def listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self._listener.setblocking(False)
        self._sockets.watch(self._listener.fileno(), self)

    def flush(self) -> None:
        """A listening socket writes nothing."""

    def on_readable(self) -> None:
        with suppress(BlockingIOError):
            while True:
                connected, _ = self._listener.accept()
                wire = TlsWire(connected, self._tls) if self._tls else Wire(connected)
                Admission(self._sockets, wire, self._admit, after_s=self.manner.connects_after_s)

    def _admit(self, wire: Wire, early: bytes) -> None:
        session = self._session(self)
        self.sessions.add(session)
        session.connect(self._sockets, wire)
        session.greet()
        session.receive(early)

    @property
    def sessions_of_calls(self) -> int:
        """How many are open without those that wait for a call: nothing but `session.created` was said in them."""
        return sum(session.events > 1 for session in self.sessions)

    def close(self) -> None:
        """Closes what the other side left open, too."""
        self._sockets.forget(self._listener.fileno())
        self._listener.close()
        for session in list(self.sessions):
            session.disconnect()

    def faults(self, sent: dict[int, int]) -> Faults:
        """What the callers' frames suffered on their way here, given how many each call sent."""
        found = Faults(corrupt=self.strange_frames)
        heard = set()
        for checker in self.checkers:
            heard.add(checker.call)
            found.add(checker.faults(sent.get(checker.call, 0)))
        found.lost += sum(frames for call, frames in sent.items() if call not in heard)
        return found

"""The caller of a replay: says the recorded utterances when the recorded caller would have, and hears the agent.

An utterance is said at its distance from what the agent does now: so long after the agent's end, or so long into its
answer where the caller interrupted it. Another version may speak longer, shorter, earlier or later.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Sequence

from telephony.bridge.core.ulaw import BYTES_PER_MS, SILENCE, decoded
from voiceapp.core.http.websocket_protocol import OnClosed, OnText

from .caller_audio import BEFORE_MS, Cue, Utterance

FRAME_MS = 20
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
# Longer than the pause between a filler and what follows it.
AGENT_IS_DONE_MS = 1200
# An agent that says nothing is asked on.
NO_ANSWER_MS = 8000
ENDS_AFTER_MS = 5000


class RecordedCaller:
    """A CallerSocket without a socket: frames of 20 ms in real time, marks echoed when they were heard."""

    stuck_since: float | None = None

    def __init__(
        self, utterances: Sequence[Utterance], *, stream_sid: str, on_said: Callable[[int], None] = lambda count: None
    ) -> None:
        """`on_said` is called as each begins, with how many there were."""
        self._waiting = deque(utterances)
        self._on_said = on_said
        self._stream_sid = stream_sid
        self._speaking = b""
        self._to_hear: deque[int | str] = deque()
        self._now_ms = 0
        self._agent_heard_ms = 0
        # Of the agent's answer to what was said last; None before it.
        self._agent_began_ms: int | None = None
        self._spoke_ms = 0
        self._task: asyncio.Task[None] | None = None
        self._has_hung_up = False
        self.said = 0

    def listen(self, *, on_text: OnText, on_closed: OnClosed) -> None:
        self._on_text = on_text
        self._task = asyncio.create_task(self._talk())

    def send_texts(self, texts: list[str]) -> None:
        for text in texts:
            frame = json.loads(text)
            match frame["event"]:
                case "media":
                    self._to_hear.append(len(decoded(frame["media"]["payload"]) or b""))
                case "mark":
                    self._to_hear.append(str(frame["mark"]["name"]))
                case "clear":
                    marks = [each for each in self._to_hear if isinstance(each, str)]
                    self._to_hear.clear()
                    self._agent_began_ms = None
                    self._echo(marks)

    async def close(self, code: int) -> None:
        if self._task is not None:
            self._task.cancel()

    def hang_up(self) -> None:
        self._waiting.clear()
        self._has_hung_up = True

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not self._is_finished():
            self.pass_frame()
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - loop.time()))
        self._send({"event": "stop", "stop": {}})

    def pass_frame(self) -> None:
        """20 ms go by."""
        self._hear()
        self._send_frame(self._next_frame())
        self._now_ms += FRAME_MS

    def _hear(self) -> None:
        """What the agent says in 20 ms, and the marks behind it."""
        left = FRAME_BYTES
        while self._to_hear:
            first = self._to_hear[0]
            if isinstance(first, str):
                self._to_hear.popleft()
                self._echo([first])
                continue
            if left == 0:
                return
            heard = min(left, first)
            left -= heard
            self._agent_heard_ms = self._now_ms
            if self._agent_began_ms is None and not self._speaking:
                self._agent_began_ms = self._now_ms
            if heard == first:
                self._to_hear.popleft()
            else:
                self._to_hear[0] = first - heard

    def _next_frame(self) -> bytes:
        if not self._speaking and self._waiting and self._is_time_for(self._waiting[0]):
            self._speaking = self._waiting.popleft().sound
            self._agent_began_ms = None
            self.said += 1
            self._on_said(self.said)
        if not self._speaking:
            return SILENCE * FRAME_BYTES
        frame, self._speaking = self._speaking[:FRAME_BYTES], self._speaking[FRAME_BYTES:]
        self._spoke_ms = self._now_ms
        return frame.ljust(FRAME_BYTES, SILENCE)

    def _is_time_for(self, utterance: Utterance) -> bool:
        """An interruption of an answer that was over sooner is said at its end."""
        wait_ms = max(0, utterance.after_ms - BEFORE_MS)
        if utterance.cue is Cue.CALLER_ENDED:
            return self._now_ms - self._spoke_ms >= wait_ms
        if utterance.cue is Cue.AGENT_BEGAN:
            began = self._agent_began_ms
            is_answering = began is not None and bool(self._to_hear)
            return (is_answering and self._now_ms - (began or 0) >= wait_ms) or self._has_ended(AGENT_IS_DONE_MS)
        return self._has_ended(max(AGENT_IS_DONE_MS, min(wait_ms, NO_ANSWER_MS)))

    def _has_ended(self, wait_ms: int) -> bool:
        """The agent has said something since, and is quiet for so long; or has said nothing for long."""
        has_answered = self._agent_heard_ms > self._spoke_ms
        return not self._to_hear and self._quiet_ms() >= (wait_ms if has_answered else NO_ANSWER_MS)

    def _is_finished(self) -> bool:
        if self._has_hung_up:
            return True
        if self._waiting or self._speaking:
            return False
        wait_ms = ENDS_AFTER_MS if self._agent_heard_ms > self._spoke_ms else 2 * NO_ANSWER_MS
        return not self._to_hear and self._quiet_ms() >= wait_ms

    def _quiet_ms(self) -> int:
        return self._now_ms - max(self._agent_heard_ms, self._spoke_ms)

    def _echo(self, marks: Sequence[str]) -> None:
        for name in marks:
            self._send({"event": "mark", "mark": {"name": name}})

    def _send_frame(self, sound: bytes) -> None:
        media = {"payload": b64encode(sound).decode(), "timestamp": str(self._now_ms)}
        self._send({"event": "media", "media": media})

    def _send(self, frame: dict[str, object]) -> None:
        self._on_text(json.dumps({**frame, "streamSid": self._stream_sid}))

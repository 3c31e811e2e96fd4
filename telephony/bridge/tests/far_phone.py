"""A phone at the end of a line that takes time: what it plays and says, ms by ms, beside a ledger and a tape."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable
from random import Random

from telephony.bridge.core.agent_item import AgentItem, Cut
from telephony.bridge.core.playout import Playout
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.tape import Tape

FRAME_MS = 20
FRAME = 160
SILENCE = b"\xff"
TICK_MS = 100


class FarPhone:
    """Plays in frames of 20 ms; a frame of the caller's leaves when it is full, and with it the echoes due by then.

    `down_ms` and `up_ms`: how long frames are under way; in each direction they arrive in order. `heard` and `said`
    are what was played and spoken, from the stream's first ms on. `loses`: whether an echo gets lost.
    """

    def __init__(self, *, down_ms: int = 0, up_ms: int = 0, phase_ms: int = 0, seed: int = 1) -> None:
        self.random = Random(seed)
        self.down_ms, self.up_ms = down_ms, up_ms
        self.now_ms = 0
        self.heard = bytearray()
        self.said = bytearray()
        self.loses: Callable[[str], bool] = lambda name: False
        self.mutes: Callable[[int], bool] = lambda at_ms: False  # frames of the caller's that are not sent
        self.holds: Callable[[int], int] = lambda at_ms: 0  # how much longer a frame is under way
        self._phase_ms = phase_ms  # how long after a frame of the caller's the phone begins to play one
        self._down: deque[tuple[int, str, str]] = deque()
        self._up: deque[tuple[int, str, int, bytes]] = deque()
        self._queue = bytearray()
        self._taken = self._added = self._played = 0
        self._marks: deque[tuple[int, str]] = deque()
        self._speech = bytearray()
        self._playing = b""
        self.clock = StreamClock()
        self.tape = Tape(self, self.clock)
        self.playout = Playout(self.tape, self.clock)

    # The agent

    def say(self, ms: int, item: AgentItem | None = None, *, deltas_of_ms: int = 100, ends: bool = True) -> bytes:
        """The provider sends it all at once. Returns its audio."""
        item = item or AgentItem(f"item-{self.random.random()}")
        audio = self.random.randbytes(ms * 8)
        for at in range(0, len(audio), deltas_of_ms * 8):
            self.playout.add(item, b64encode(audio[at : at + deltas_of_ms * 8]).decode())
        if ends:
            self.playout.complete(item)
        return audio

    def interrupt(self) -> list[Cut]:
        return self.playout.interrupt()

    # The CallerLine under the tape

    def play(self, payload: str) -> None:
        self._send_down("play", payload)

    def mark(self, name: str) -> None:
        self._send_down("mark", name)

    def clear(self) -> None:
        self._send_down("clear", "")

    def _send_down(self, kind: str, content: str) -> None:
        earliest = self._down[-1][0] if self._down else 0
        self._down.append((max(earliest, self.now_ms + self.down_ms + self.holds(self.now_ms)), kind, content))

    # The caller

    def speak(self, ms: int) -> bytes:
        audio = self.random.randbytes(ms * 8)
        self._speech += audio
        return audio

    # Time

    def wait(self, ms: int) -> None:
        for _ in range(ms):
            self._step()

    def _step(self) -> None:
        while self._down and self._down[0][0] <= self.now_ms:
            _, kind, content = self._down.popleft()
            self._receive(kind, content)
        if self.now_ms % FRAME_MS == self._phase_ms:
            self._play_frame()
        self.now_ms += 1
        if self.now_ms % FRAME_MS == 0:
            self._send_frame()
        self._serve()

    def _serve(self) -> None:
        """What the server does in this ms."""
        while self._up and self._up[0][0] <= self.now_ms:
            _, kind, at_ms, sent = self._up.popleft()
            self._arrive(kind, at_ms, sent)
        if self.now_ms % TICK_MS == 0:
            self.clock.tick(self.now_ms)
            self.playout.tick()

    def _receive(self, kind: str, content: str) -> None:
        if kind == "play":
            audio = b64decode(content)
            self._queue += audio
            self._added += len(audio)
        elif kind == "mark":
            self._marks.append((self._added, content))
            self._echo()
        else:
            self._queue.clear()
            self._added = self._taken
            self._marks = deque((0, name) for _, name in self._marks)
            self._echo()

    def _play_frame(self) -> None:
        """A frame that was handed out has been played when the next one is taken."""
        self._played = self._taken
        self._echo()
        frame = bytes(self._queue[:FRAME])
        del self._queue[:FRAME]
        self._taken += len(frame)
        begin = self.now_ms * 8
        self.heard += SILENCE * (begin - len(self.heard)) + frame.ljust(FRAME, SILENCE)

    def _echo(self) -> None:
        while self._marks and self._marks[0][0] <= self._played:
            name = self._marks.popleft()[1]
            if not self.loses(name):
                self._send_up("mark", 0, name.encode())

    def _send_frame(self) -> None:
        frame = bytes(self._speech[:FRAME]).ljust(FRAME, SILENCE)
        del self._speech[:FRAME]
        self.said += frame
        if not self.mutes(self.now_ms - FRAME_MS):
            self._send_up("media", self.now_ms - FRAME_MS, frame)

    def _send_up(self, kind: str, at_ms: int, content: bytes) -> None:
        earliest = self._up[-1][0] if self._up else 0
        self._up.append((max(earliest, self.now_ms + self.up_ms + self.holds(self.now_ms)), kind, at_ms, content))

    def _arrive(self, kind: str, at_ms: int, content: bytes) -> None:
        if kind == "media":
            self.clock.frame_arrived(at_ms, FRAME_MS)
            self.tape.hear(b64encode(content).decode(), len(content))
        else:
            self.tape.echoed(content.decode())
            self.playout.echoed(content.decode())

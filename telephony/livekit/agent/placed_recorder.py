"""livekit-agents' recorder, with both voices where the caller spoke and heard them.

It would put the caller where their sound arrived, and the agent where its track began to play: WebRTC holds back both
on their way, by 50 ms or by a second, and changes it while somebody speaks.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Iterator

import numpy as np
from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice import io
from livekit.agents.voice.recorder_io.recorder_io import (
    WRITE_INTERVAL,
    RecorderAudioInput,
    RecorderAudioOutput,
    RecorderIO,
    _Captured,
    _Flush,
)

from .buffer_delay import LONGEST_S, WINDOW_S
from .way import Way

MEASURE_EVERY_S = 0.1
# Frames come late where the loop had no time, and never early: the earliest of a second counts.
ARRIVALS = 50
# The way of what was received so long ago is known.
HEARD_AFTER_S = WINDOW_S + 0.2
SAID_AFTER_S = HEARD_AFTER_S + LONGEST_S
WRITTEN_AFTER_S = HEARD_AFTER_S + LONGEST_S + 0.5
# So many of the agent's pieces at once: more would hold up the loop.
PIECE_S = 0.02
MOST_PIECES = 100
# A piece moves when it is so far from where the one before it ends; a quiet one does not need to be heard whole.
LOUD_MOVES_S, QUIET_MOVES_S = 0.010, 0.003
QUIET = 300

CALLER, AGENT = 0, 1
Piece = tuple[float, rtc.AudioFrame]


class PlacedRecorder(RecorderIO):
    """Measures the way while it records. Memory holds the last seconds, and what the agent is just saying."""

    def __init__(self, session: AgentSession[None], way: Way) -> None:
        super().__init__(agent_session=session)
        self._way = way
        self._heard: deque[Piece] = deque()
        self._said: deque[Piece] = deque()
        self._ends_s = [-math.inf, -math.inf]  # of each channel

    def record_input(self, audio_input: io.AudioInput) -> RecorderAudioInput:
        def on_frame(started_at: float, frame: rtc.AudioFrame) -> None:
            self._heard.append((started_at, frame))

        self._in_record = RecorderAudioInput(recording_io=self, source=audio_input, on_frame=on_frame)
        return self._in_record

    def record_output(self, audio_output: io.AudioOutput) -> RecorderAudioOutput:
        def on_played(started_at: float, frame: rtc.AudioFrame) -> None:
            self._said.extend(pieces_of(started_at, frame))

        self._out_record = RecorderAudioOutput(recording_io=self, audio_output=audio_output, on_played=on_played)
        return self._out_record

    async def aclose(self) -> None:
        if self.recording:
            await self._way.measure()
            self._place(math.inf)
        await super().aclose()
        self._heard.clear()
        self._said.clear()
        self._ends_s = [-math.inf, -math.inf]

    async def _write_task(self) -> None:
        written_s = time.time()
        while True:
            await asyncio.sleep(MEASURE_EVERY_S)
            await self._way.measure()
            now_s = time.time()
            self._place(now_s)
            if now_s - written_s >= WRITE_INTERVAL:
                written_s = now_s
                self._put(_Flush(until=self._settled_s(now_s)))

    def _settled_s(self, now_s: float) -> float:
        """Nothing is placed before it any more."""
        times = [now_s - WRITTEN_AFTER_S]
        if self._heard:
            times.append(self._heard[0][0] - LONGEST_S - 0.2)
        if self._said:
            times.append(self._said[0][0])
        assert self._out_record is not None
        if since_s := self._out_record.pending_since:
            times.append(since_s)
        return min(times)

    def _place(self, now_s: float) -> None:
        for at_s, frame in self._arrived(now_s - HEARD_AFTER_S):
            self._put_at(CALLER, self._way.spoken_at(at_s), frame)
        for _ in range(MOST_PIECES if now_s < math.inf else len(self._said)):
            if not self._said or self._said[0][0] > now_s - SAID_AFTER_S:
                return
            at_s, frame = self._said.popleft()
            self._put_at(AGENT, self._way.heard_at(at_s), frame)

    def _arrived(self, until_s: float) -> Iterator[Piece]:
        """The caller's frames, when they were there."""
        while self._heard and self._heard[0][0] <= until_s:
            at_s, duration_s = math.inf, 0.0
            for index, (arrived_s, frame) in enumerate(self._heard):
                if index == ARRIVALS:
                    break
                at_s = min(at_s, arrived_s - duration_s)
                duration_s += frame.duration
            yield at_s, self._heard.popleft()[1]

    def _put_at(self, channel: int, at_s: float, frame: rtc.AudioFrame) -> None:
        """Behind the one before it, where it belongs near there; what would lie upon it is left out."""
        assert self._t0 is not None
        end_s = self._ends_s[channel]
        samples = np.frombuffer(frame.data, np.int16)
        is_quiet = not len(samples) or np.abs(samples.astype(np.int32)).max() < QUIET
        if abs(at_s - end_s) <= (QUIET_MOVES_S if is_quiet else LOUD_MOVES_S):
            at_s = end_s
        elif at_s > end_s:
            self._end_run(channel=channel)
        else:
            frame = without_first(frame, round((end_s - at_s) * frame.sample_rate))
            at_s = end_s
        self._ends_s[channel] = at_s + frame.duration
        if frame.samples_per_channel and at_s >= self._t0:
            self._put(_Captured(channel=channel, started_at=at_s, frame=frame))


def pieces_of(at_s: float, frame: rtc.AudioFrame) -> Iterator[Piece]:
    """Each with its own time."""
    size = round(PIECE_S * frame.sample_rate)
    for first in range(0, frame.samples_per_channel, size):
        count = min(size, frame.samples_per_channel - first)
        yield at_s + first / frame.sample_rate, _part(frame, first, count)


def without_first(frame: rtc.AudioFrame, samples: int) -> rtc.AudioFrame:
    count = max(0, frame.samples_per_channel - samples)
    return _part(frame, frame.samples_per_channel - count, count)


def _part(frame: rtc.AudioFrame, first: int, count: int) -> rtc.AudioFrame:
    channels = frame.num_channels
    data = frame.data[first * channels : (first + count) * channels].tobytes()
    return rtc.AudioFrame(data, frame.sample_rate, channels, count)

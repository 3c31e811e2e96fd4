"""Records what the agent hears and says in a room, when the room's metadata says so.

It encodes in a thread, and its file is whole up to the last seconds when the process is killed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog
from livekit.agents import AgentSession

from recordings.sources.room_agent import folder_of

from .gateway import RoomGateway
from .placed_recorder import PlacedRecorder
from .way import Way

logger = structlog.get_logger("room_agent")


class RoomRecorder:
    """`now_ms` is the call's clock. One recording at a time, each in a file of its own."""

    def __init__(
        self, session: AgentSession[None], gateway: RoomGateway, way: Way, *, now_ms: Callable[[], int]
    ) -> None:
        self._session, self._gateway, self._way, self._now_ms = session, gateway, way, now_ms
        self._recorder: PlacedRecorder | None = None
        self._current = ""
        self._turn = asyncio.Lock()

    @property
    def current(self) -> str:
        return self._current

    async def follow(self, recording_id: str) -> None:
        """Record under this id from now on; nothing under an empty one. Repeated, it changes nothing."""
        async with self._turn:
            if recording_id == self._current:
                return
            await self._stop()
            if recording_id:
                await self._start(recording_id)

    async def close(self, *, is_over: bool) -> None:
        """`is_over`: nothing follows. Otherwise an agent that takes this one's place goes on with the recording, if the
        call goes on."""
        async with self._turn:
            await self._stop(is_over=is_over)

    async def _start(self, recording_id: str) -> None:
        recorder = self._recorder or self._wired()
        if recorder is None:
            logger.warning("nothing to record: the agent has no audio", recording=recording_id)
            return
        folder = folder_of(recording_id)
        try:
            await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
            await recorder.start(output_path=folder / f"{self._now_ms():09}.ogg")
        except OSError as exc:
            logger.warning("not recorded", recording=recording_id, reason=exc.strerror)
            return
        self._current = recording_id
        # A process that has no time may have stood still since its file was named.
        age_ms = round((time.time() - (recorder.recording_started_at or 0.0)) * 1000)
        await self._gateway.recording_began(recording_id, starts_at_ms=max(0, self._now_ms() - age_ms))

    async def _stop(self, *, is_over: bool = True) -> None:
        ended, self._current = self._current, ""
        if ended and self._recorder is not None:
            await self._recorder.aclose()
            await self._gateway.recording_ended(ended, is_over=is_over)

    def _wired(self) -> PlacedRecorder | None:
        """Between the session and the room, as livekit-agents does it (agent_session.py, `start`)."""
        heard, said = self._session.input.audio, self._session.output.audio
        if heard is None or said is None:
            return None
        self._recorder = recorder = PlacedRecorder(self._session, self._way)
        self._session.input.audio = recorder.record_input(heard)
        self._session.output.audio = recorder.record_output(said)
        return recorder

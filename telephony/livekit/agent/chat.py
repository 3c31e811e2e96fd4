"""What the caller types: text streams of the topic `lk.chat`, as LiveKit's clients send them. Bounded in size and rate.

livekit-agents would read a stream of any length to its end, and answer any number of them.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from livekit import rtc
from livekit.rtc.data_stream import StreamError

from voiceapp.core.plain_text import NOT_IN_A_TEXT

logger = structlog.get_logger("room_chat")

TOPIC = "lk.chat"
LONGEST = 2_000  # characters
MOST_PER_MINUTE = 20
MOST_AT_ONCE = 4
WITHIN_S = 10.0  # from the first character to the last
TOO_LONG = f"This message is too long: at most {LONGEST:,} characters."
TOO_MANY = "Too many messages. Please wait a minute."


class Chat:
    """`on_text` is called with each message of the one who may write. What is refused is answered in the chat."""

    def __init__(self, room: rtc.Room, on_text: Callable[[str], None]) -> None:
        self._room, self._on_text = room, on_text
        self._identity = ""
        self._times_s: deque[float] = deque()
        self._refused_s = float("-inf")
        self._reading = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def listen_to(self, identity: str) -> None:
        """To this participant alone; of one who joined twice, to the latest."""
        if not self._identity:
            self._room.register_text_stream_handler(TOPIC, self._on_stream)
        self._identity = identity

    def close(self) -> None:
        if self._identity:
            self._room.unregister_text_stream_handler(TOPIC)
        for task in self._tasks:
            task.cancel()

    def _on_stream(self, reader: rtc.TextStreamReader, identity: str) -> None:
        if identity != self._identity:
            reader.close()
        elif self._is_too_much():
            reader.close()
            self._refuse(TOO_MANY)
        else:
            self._reading += 1
            self._begin(self._read(reader))

    def _is_too_much(self) -> bool:
        now_s = time.monotonic()
        while self._times_s and now_s - self._times_s[0] > 60:
            self._times_s.popleft()
        if len(self._times_s) >= MOST_PER_MINUTE or self._reading >= MOST_AT_ONCE:
            return True
        self._times_s.append(now_s)
        return False

    async def _read(self, reader: rtc.TextStreamReader) -> None:
        text = ""
        try:
            async with asyncio.timeout(WITHIN_S):
                async for part in reader:
                    text += part
                    if len(text) > LONGEST:
                        self._refuse(TOO_LONG)
                        return
        except (StreamError, TimeoutError) as fault:
            logger.info("message not read", fault=type(fault).__name__)
            return
        finally:
            reader.close()
            self._reading -= 1
        text = NOT_IN_A_TEXT.sub("", text).strip()
        if text:
            self._on_text(text)

    def _refuse(self, why: str) -> None:
        """Once a second, whatever is sent to us."""
        logger.info("message refused", why=why)
        if time.monotonic() - self._refused_s > 1:
            self._refused_s = time.monotonic()
            self._begin(self._tell(why, self._identity))

    async def _tell(self, text: str, identity: str) -> None:
        await self._room.local_participant.send_text(text, topic=TOPIC, destination_identities=[identity])

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

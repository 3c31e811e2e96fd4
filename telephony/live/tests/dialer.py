"""A page of ours with a dialer: Media Streams as a handset speaks it, opened with a session and an Origin."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from agents.organizations.models import Membership, Organization
from sessions.calls.models import LIVE_STATES, Call

from .handset import Handset


class Dialer(Handset):
    """Of nobody, unless it has a session."""

    def __init__(self, base_url: str, organization: str, *, session: str = "") -> None:
        super().__init__(base_url, account_sid="", auth_token="", dialed="", call_sid="")
        self.stream_url = f"ws{base_url.removeprefix('http')}/ws/dialer/{organization}"
        self.session = session
        self.visitor_token = ""
        self.received = 0  # of the server's frames, those that are counted
        self.is_away = False
        self._late: list[dict[str, Any]] = []

    async def open(self, *, query: str = "", signature: str | None = None, **headers: str) -> None:
        headers = {"Origin": self.base_url, "Cookie": f"{settings.SESSION_COOKIE_NAME}={self.session}"} | headers
        sent = {name: value for name, value in headers.items() if value}
        offered = (
            [Subprotocol("voiceapp"), Subprotocol(f"visitor.{self.visitor_token}")] if self.visitor_token else None
        )
        self._socket = await connect(
            self.stream_url, additional_headers=sent, subprotocols=offered, compression=None, proxy=None
        )
        self._tasks.append(asyncio.create_task(self._listen(self._socket)))

    async def dial(self) -> None:
        await self.open()
        await self.start()

    async def send(self, message: dict[str, Any] | str | bytes) -> None:
        """While the page has no socket, sound is lost, and the rest is sent when it has one again."""
        if not self.is_away:
            await super().send(message)
        elif isinstance(message, dict) and message["event"] != "media":
            if message["event"] == "mark":
                message["mark"]["timestamp"] = str(self.now_ms)
            self._late.append(message)

    @property
    def now_ms(self) -> int:
        """The stream's time at the page."""
        return int((time.monotonic() - (self.started_at or time.monotonic())) * 1000)

    def lose_line(self) -> None:
        """The socket is reset; the page goes on."""
        self.is_away = True
        self._tasks.pop(0).cancel()
        assert self._socket is not None
        self._socket.transport.abort()

    async def come_back(self, **parameters: str) -> None:
        """On another socket, as the page does."""
        call = await self.gets("call")
        await self.open()
        self._tasks.insert(0, self._tasks.pop())
        self.closed.clear()
        assert self._socket is not None
        custom = {"callId": call["callId"], "received": str(self.received)} | parameters
        start = {
            "accountSid": "", "callSid": "", "streamSid": self.stream_sid, "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}, "customParameters": custom,
        }  # fmt: skip
        await self._socket.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        await self._socket.send(json.dumps({"event": "start", "streamSid": self.stream_sid, "start": start}))

    async def is_back(self) -> None:
        """The server has taken the new socket."""
        await self.gets("returned")
        self.others = [frame for frame in self.others if frame["event"] != "returned"]
        self.is_away = False
        late, self._late = self._late, []
        for message in late:
            await self.send(message)

    def count(self, message: dict[str, Any]) -> None:
        self.received += message["event"] not in ("returned", "refused")

    async def hang_up(self) -> None:
        """As the page: `stop`, and the server closes."""
        await self.send({"event": "stop", "streamSid": self.stream_sid, "stop": {"callSid": ""}})
        await self.close_comes(within_s=10)

    async def gets(self, event: str, *, within_s: float = 15) -> dict[str, Any]:
        """The first of the page's own frames of that kind; of captions, the first one that is final."""
        async with asyncio.timeout(within_s):
            while True:
                for frame in self.others:
                    if frame["event"] == event and frame.get("caption", {}).get("isFinal", True):
                        return frame
                await asyncio.sleep(0.01)

    async def call(self) -> Call:
        frame = await self.gets("call")
        return await Call.objects.aget(pk=frame["callId"])

    async def end(self, *, within_s: float = 15) -> tuple[str, str]:
        """State and reason of the call once it is over."""
        async with asyncio.timeout(within_s):
            while (call := await self.call()).state in LIVE_STATES:
                await asyncio.sleep(0.03)
        return call.state, call.end_reason


def session_of(name: str, *organizations: Organization) -> str:
    """The key of a session of that user, who owns the organizations."""
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    for organization in organizations:
        Membership.objects.get_or_create(organization=organization, user=user, defaults={"role": "owner"})
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value

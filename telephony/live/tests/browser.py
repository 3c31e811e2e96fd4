"""The call page in a browser, as far as the wire goes: its requests, its socket, its peer connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from agents.organizations.models import Membership, Organization
from sessions.calls.models import LIVE_STATES, Call
from voiceapp.simulators.openai.tests.caller import WAIT_S, Caller

CSRF = "c" * 32


def signed_in(organization: Organization, name: str = "alice") -> str:
    """The session of an owner of the organization."""
    user = User.objects.create_user(name, is_staff=True)
    Membership.objects.create(organization=organization, user=user, role="owner")
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Browser:
    """`messages`: what came on the socket."""

    def __init__(self, address: str, *, slug: str, session: str = "", visitor: str = "") -> None:
        """`session` of staff, or the token of a `visitor`."""
        self.slug = slug
        self.caller = Caller()
        self.abandoned: list[Caller] = []  # whose connection broke
        self.details: dict[str, Any] = {}
        self.offer = ""
        self.messages: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self._cookies = {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: CSRF} if session else {}
        self._visitor = visitor
        identity = {"X-Visitor-Token": visitor} if visitor else {"X-CSRFToken": CSRF}
        self._http = httpx.AsyncClient(cookies=self._cookies, headers=identity, trust_env=False, timeout=WAIT_S)
        self.address = address
        self._socket: ClientConnection | None = None
        self._listening: asyncio.Task[None] | None = None

    # The page

    async def request(self) -> httpx.Response:
        return await self._http.post(f"{self.address}/call/{self.slug}/realtime", json={})

    async def begin(self) -> None:
        response = await self.request()
        assert response.status_code == 201, response.text
        self.details = response.json()

    async def delete(self) -> httpx.Response:
        """As a page that is left."""
        return await self._http.delete(f"{self.address}/call/{self.slug}/calls/{self.details['callId']}")

    async def send_offer(self, *, secret: str | None = None, offer: str | None = None) -> httpx.Response:
        value = self.details["secret"]["value"] if secret is None else secret
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {value}"}
        self.offer = self.offer or await self.caller.offer()
        # Without cookies: the secret is enough.
        async with httpx.AsyncClient(base_url=self.address, trust_env=False, timeout=WAIT_S) as http:
            return await http.post(
                self.details["callsUrl"], content=self.offer if offer is None else offer, headers=headers
            )

    async def connect(self) -> None:
        response = await self.send_offer()
        assert response.status_code == 201, response.text
        await self.caller.accept(response.text)
        await self.caller.until("session.created")

    async def offer_again(self, *, offer: str | None = None, unheard_ms: object = 0) -> httpx.Response:
        """The page has lost its connection and sends another offer for the same call."""
        self.abandoned.append(self.caller)
        self.caller = Caller()
        content = await self.caller.offer() if offer is None else offer
        return await self._http.post(
            f"{self.address}{self.details['callsUrl']}/again", content=content, params={"unheardMs": str(unheard_ms)},
            headers={"Content-Type": "application/sdp"},
        )  # fmt: skip

    async def reconnect(self, *, unheard_ms: int = 0) -> None:
        response = await self.offer_again(unheard_ms=unheard_ms)
        assert response.status_code == 201, response.text
        await self.caller.accept(response.text)
        await self.caller.until("session.created")
        await self.send("joined")

    async def listen(self, **headers: str) -> None:
        """Open the socket. Raises websockets' InvalidStatus when it is refused."""
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        address = "ws" + self.address.removeprefix("http") + self.details["socket"]
        headers = {"Cookie": cookies, "Origin": self.address} | headers
        protocols = [Subprotocol(each) for each in ("voiceapp", f"visitor.{self._visitor}")] if self._visitor else None
        self._socket = await connect(address, additional_headers=headers, subprotocols=protocols, proxy=None)
        self._listening = asyncio.create_task(self._read(self._socket))

    async def send(self, kind: str, **content: Any) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps({"type": kind, **content}))

    async def dial(self) -> None:
        """From the click to a call that is heard."""
        await self.begin()
        await self.listen()
        await self.connect()
        await self.send("joined")

    def drop_socket(self) -> None:
        """The network is gone for it."""
        assert self._socket is not None
        self._socket.transport.abort()

    async def _read(self, socket: ClientConnection) -> None:
        try:
            while True:
                self.messages.append(json.loads(await socket.recv()))
        except ConnectionClosed as closed:
            self.close_code = closed.rcvd.code if closed.rcvd is not None else None

    # What is seen of it

    @property
    def progress(self) -> dict[str, Any]:
        """The newest."""
        return next((each for each in reversed(self.messages) if each["type"] == "progress"), {})

    async def shows(self, **claims: Any) -> dict[str, Any]:
        """The first progress of which this is true."""
        await self.comes_to(lambda: all(self.progress.get(name) == value for name, value in claims.items()))
        return self.progress

    @property
    def is_ended(self) -> bool:
        return bool(self.messages) and self.messages[-1]["type"] == "ended"

    async def ended(self) -> dict[str, Any]:
        await self.comes_to(lambda: self.is_ended)
        return self.messages[-1]

    @staticmethod
    async def comes_to(claim: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not claim():
                await asyncio.sleep(0.01)

    async def call(self) -> Call:
        return await Call.objects.aget(pk=self.details["callId"])

    async def over(self, *, within_s: float = WAIT_S) -> tuple[str, str]:
        """State and reason of the call once it is over."""
        async with asyncio.timeout(within_s):
            while (call := await self.call()).state in LIVE_STATES:
                await asyncio.sleep(0.03)
        return call.state, call.end_reason

    async def put_away(self) -> None:
        for caller in (self.caller, *self.abandoned):
            await caller.close()
        if self._listening is not None:
            self._listening.cancel()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                await self._socket.close()
        await self._http.aclose()


@asynccontextmanager
async def page(address: str, *, slug: str, session: str = "", visitor: str = "") -> AsyncIterator[Browser]:
    browser = Browser(address, slug=slug, session=session, visitor=visitor)
    try:
        yield browser
    finally:
        await browser.put_away()

"""The sockets of a live call's page: captions as they come, and with `?sound` both voices."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from channels.consumer import AsyncConsumer
from django.db import DatabaseError
from django.utils.translation import gettext_lazy as _

from agents.organizations.access import Access, load_access
from agents.organizations.roles import Area, Power
from sessions.calls.commands import Kind, leave_command
from sessions.calls.listenings import begin_listening, end_listening
from sessions.calls.models import Call, CallKind
from telephony.live.caller_socket import Receive, Send
from telephony.live.listening.channel import inlet
from telephony.live.listening.listeners import ENDED, Frame, Listener
from telephony.live.registry import live_calls

from ..call_page.access import is_own_origin, user_of_socket
from ..call_page.progress_feed import page_threads
from .offers import Deed, is_with_agent, why_not

logger = structlog.get_logger("live_calls")

IN_A_ROOM = _("This call is in a LiveKit room, and its sound does not pass this server.")

Scope = MutableMapping[str, Any]
# What is read of a scope; the server's own objects cannot go to another process.
READ = ("headers", "scheme")
SOUND = b"sound"

NORMAL, POLICY_VIOLATION, INTERNAL_ERROR, SERVICE_RESTART = 1000, 1008, 1011, 1012
# 5 s of sound: a browser that takes less than is said loses the oldest.
MOST_WAITING = 50
MOST_SOCKETS = 200
LOOK_EVERY_S = 1.0
COME_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a user may follow a call. `refusal`: a sentence why not; `is_hidden`: nobody learns of the call."""

    by: str = ""
    refusal: str = ""
    is_hidden: bool = False


class LiveCallConsumer(AsyncConsumer):
    """A Channels consumer that owns its receive loop, for the reasons of MediaStreamConsumer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        await receive()  # websocket.connect
        call_id: UUID = scope["url_route"]["kwargs"]["call_id"]
        wants_sound = scope["query_string"] == SOUND
        plain = {name: scope[name] for name in READ if name in scope}
        try:
            admission = await page_threads.run(admit, plain, call_id, wants_sound=wants_sound)
        except DatabaseError:
            admission = Admission(is_hidden=True)
        if admission.is_hidden or len(_open) >= MOST_SOCKETS or live_calls.is_draining:
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        if admission.refusal:
            await send({"type": "websocket.send", "text": refused(admission.refusal)})
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        await PageSocket(plain, call_id, send=send, by=admission.by, wants_sound=wants_sound).run(receive)


def admit(scope: Mapping[str, Any], call_id: UUID, *, wants_sound: bool) -> Admission:
    """May run in another process, so that nothing is raised."""
    user = user_of_socket(scope) if is_own_origin(scope) else None
    if user is None or not user.is_staff:
        return Admission(is_hidden=True)
    access = load_access(user)
    call = Call.objects.visible_to(access.principal(Area.CALLS, Power.VIEW)).filter(pk=call_id).first()
    if call is None:
        return Admission(is_hidden=True)
    return Admission(user.get_username(), refusal=_why_no_sound(call, access) if wants_sound else "")


def _why_no_sound(call: Call, access: Access) -> str:
    """The browser fetches that of a room from LiveKit."""
    return str(IN_A_ROOM) if call.kind == CallKind.ROOM else why_not(Deed.LISTEN, call, access)


def refused(sentence: str) -> str:
    return json.dumps({"event": "refused", "message": sentence})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call is: over, with its agent, or with nobody who could be heard here. `is_allowed`: still."""

    is_live: bool
    is_with_agent: bool
    is_allowed: bool


def place_of(scope: Mapping[str, Any], call_id: UUID, *, wants_sound: bool) -> Place:
    call = Call.objects.filter(pk=call_id).first()
    if call is None or not call.is_live:
        return Place(is_live=False, is_with_agent=False, is_allowed=True)
    admission = admit(scope, call_id, wants_sound=wants_sound and is_with_agent(call))
    return Place(True, is_with_agent(call), is_allowed=not (admission.is_hidden or admission.refusal))


class PageSocket:
    """One open socket, until the page leaves or the call is over."""

    def __init__(self, scope: Mapping[str, Any], call_id: UUID, *, send: Send, by: str, wants_sound: bool) -> None:
        self._scope = scope
        self._call_id = call_id
        self._send = send
        self._by = by
        self._wants_sound = wants_sound
        self._waiting: deque[Frame] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        self._has_heard = False
        self._code = NORMAL

    async def run(self, receive: Receive) -> None:
        _open.add(self)
        number = await self._begin() if self._wants_sound else None
        tasks = {asyncio.create_task(each) for each in (self._push(), self._until_left(receive), self._follow())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if (fault := task.exception()) is not None:
                    self._code = INTERNAL_ERROR  # the page comes again
                    logger.warning("socket of a live call broken off", call_id=str(self._call_id), exc_info=fault)
        finally:
            _open.discard(self)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if number is not None:
                await asyncio.shield(page_threads.run(end_listening, number))
        with contextlib.suppress(OSError, RuntimeError):  # the page is gone
            await self._send({"type": "websocket.close", "code": self._code})

    async def _begin(self) -> int:
        return await page_threads.run(_begin_listening, self._call_id, by=self._by)

    # The call -> this socket

    async def _follow(self) -> None:
        """The process that carries the call now; also the next one, if the caller comes back from a transfer."""
        while True:
            place = await page_threads.run(place_of, self._scope, self._call_id, wants_sound=self._wants_sound)
            if not place.is_live:
                return
            if not place.is_allowed or live_calls.is_draining:
                self._code = SERVICE_RESTART if place.is_allowed else POLICY_VIOLATION
                return
            if place.is_with_agent:
                await self._listen()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _listen(self) -> None:
        """Until the call is not carried there any more, or it is time to look whether the user still may."""
        listener = Listener(self._take, wants_sound=self._wants_sound)
        try:
            if (live := live_calls.find(self._call_id)) is not None:
                if live.let_in(listener):
                    await self._until_gone(listener, has_beats=False)
                return
            async with inlet(listener) as text:
                if await page_threads.run(leave_command, self._call_id, Kind.LISTEN, text):
                    await self._until_gone(listener, has_beats=True)
        finally:
            listener.gone.set()

    async def _until_gone(self, listener: Listener, *, has_beats: bool) -> None:
        """Every few seconds: sign-in and role are looked at again, without a break in the sound.

        `has_beats`: another process sends something all the time, or it has not taken the command, or is gone.
        """
        while not listener.gone.is_set():
            self._has_heard = False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(listener.gone.wait(), COME_WITHIN_S)
                return
            if has_beats and not self._has_heard:
                return
            place = await page_threads.run(place_of, self._scope, self._call_id, wants_sound=self._wants_sound)
            if not (place.is_live and place.is_allowed) or live_calls.is_draining:
                return

    def _take(self, frame: Frame) -> None:
        self._has_heard = True
        if frame and frame != ENDED:
            self._waiting.append(frame)
            self._news.set()

    # This socket -> the page

    async def _push(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                frame = self._waiting.popleft()
                kind = "text" if isinstance(frame, str) else "bytes"
                await self._send({"type": "websocket.send", kind: frame})

    async def _until_left(self, receive: Receive) -> None:
        """The page says nothing."""
        while (await receive())["type"] == "websocket.receive":
            pass


_open: set[PageSocket] = set()


def _begin_listening(call_id: UUID, *, by: str) -> int:
    return begin_listening(Call.objects.get(pk=call_id), by=by)

"""The socket of a browser's call: its page learns how the call goes, and says what the caller types and presses."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import structlog
from channels.consumer import AsyncConsumer
from django.db import DatabaseError
from django.utils import translation
from rest_framework.exceptions import APIException

from sessions.calls.caller_sentences import caller_sentence
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import BROWSER_JOINED
from sessions.calls.models import TERMINAL_STATES, Call, CallKind
from sessions.calls.passed_messages import Kind, pass_message
from sessions.calls.services import record_event
from telephony.live.browser_live_call import BrowserLiveCall
from telephony.live.call_watchers import call_watchers
from telephony.live.caller_socket import POLICY_VIOLATION, Receive, Send
from telephony.live.registry import live_calls

from ..access import accepted_protocol, caller_of_socket, language_of_socket
from ..progress import progress_of
from ..progress_feed import lasting, page_threads
from .carrying import carry, claim, is_ours
from .services import end_browser_call

logger = structlog.get_logger("browser_calls")

# Of ASGI's many messages only those of sockets come here, and they are read as plain mappings.
Scope = MutableMapping[str, Any]
# What is read of a scope; the server's own objects cannot go to another process.
READ = ("type", "path", "headers", "client", "server", "scheme", "query_string", "subprotocols")

NORMAL = 1000
INTERNAL_ERROR = 1011
MOST_SOCKETS = 4
LONGEST_TEXT = 500
MOST_MESSAGES = 30
MESSAGES_PER_S = 3.0
# With which a browser closes the sockets of a page that is left. One that only broke has no code of its own.
LEFT = (1000, 1001)
# How often a call is looked at that no process carries yet, or another one does.
LOOK_EVERY_S = 2.0


class PageMessage(msgspec.Struct):
    type: str
    text: str = ""


_decoder = msgspec.json.Decoder(PageMessage)


class BrowserCallConsumer(AsyncConsumer):
    """A Channels consumer that owns its receive loop, for the reasons of MediaStreamConsumer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        await receive()  # websocket.connect
        call_id: UUID = scope["url_route"]["kwargs"]["call_id"]
        plain = {name: scope[name] for name in READ if name in scope}
        try:
            watch = await page_threads.run(may_watch, plain, call_id)
        except DatabaseError as fault:
            watch = Watch(refusal=type(fault).__name__)
        if watch.refusal or call_watchers.count(call_id) >= MOST_SOCKETS:
            logger.warning("socket refused", call_id=str(call_id), reason=watch.refusal or "too many sockets")
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept", "subprotocol": accepted_protocol(scope)})
        page = PageSocket(call_id, send=send, sees_cost=watch.sees_cost, language=language_of_socket(plain))
        await page.run(receive)


@dataclass(frozen=True, slots=True)
class Watch:
    """Whether a page may watch a call, and is also shown what it costs. `refusal`: why not, for the log."""

    refusal: str = ""
    sees_cost: bool = False


def may_watch(scope: Mapping[str, Any], call_id: UUID) -> Watch:
    """If so, its socket is here now. May run in another process, so that nothing is raised."""
    call = Call.objects.select_related("organization").filter(pk=call_id, kind=CallKind.BROWSER).first()
    if call is None or call.organization is None:
        return Watch(refusal="no such call")
    try:
        caller = caller_of_socket(scope, call.organization.slug)
    except APIException as refused:
        return Watch(refusal=str(refused.detail))
    if not caller.calls().filter(pk=call_id).exists():
        return Watch(refusal="another's call")
    claim(call_id)
    return Watch(sees_cost=caller.sees_cost)


class PageSocket:
    """One open socket. A call does not end with it: the page opens another one."""

    def __init__(self, call_id: UUID, *, send: Send, sees_cost: bool, language: str) -> None:
        self._call_id = call_id
        self._send_message = send
        self._sees_cost = sees_cost
        self._language = language
        self._news = asyncio.Event()
        self._has_joined = False
        self._loop = asyncio.get_running_loop()
        self._allowance = float(MOST_MESSAGES)
        self._allowed_at = self._loop.time()

    async def run(self, receive: Receive) -> None:
        """Until the page leaves, or the call is over and the page knows."""
        with call_watchers.watching(self._call_id, self._news.set):
            if live := self._live():
                live.page_came()
            tasks = {asyncio.create_task(self._push()), asyncio.create_task(self._read(receive))}
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        code: int | None = INTERNAL_ERROR
        for task in done:
            if (fault := task.exception()) is None:
                code = task.result()
            elif not isinstance(fault, OSError):
                logger.error("socket of a call broken off", call_id=str(self._call_id), exc_info=fault)
        if code is not None:
            with contextlib.suppress(OSError):  # the page is gone
                await self._send_message({"type": "websocket.close", "code": code})

    # Server -> page

    async def _push(self) -> int:
        """What has changed, at once. Returns the code with which to close when the call is over."""
        shown: Mapping[str, Any] = {}
        while True:
            self._news.clear()
            with contextlib.suppress(DatabaseError):  # it is read again at the next change
                progress, end_reason, ours = await page_threads.run(
                    read_call, self._call_id, sees_cost=self._sees_cost, language=self._language
                )
                if ours and not live_calls.is_carrying(self._call_id):
                    await self._carry(ours)
                if lasting(progress) != lasting(shown):
                    shown = progress
                    await self._send("progress", **progress)
                if progress["state"] in TERMINAL_STATES:
                    sentence = caller_sentence(EndReason(end_reason), self._language)
                    await self._send("ended", endReason=end_reason, message=sentence)
                    return NORMAL
            with contextlib.suppress(TimeoutError):
                is_here = live_calls.find(self._call_id) is not None
                await asyncio.wait_for(self._news.wait(), None if is_here else LOOK_EVERY_S)

    async def _carry(self, provider_call_id: str) -> None:
        """The offer was answered in another process."""
        if why_not := await carry(self._call_id, provider_call_id):
            await page_threads.run(end_browser_call, self._call_id, why_not)
            self._news.set()
        elif self._has_joined and (live := self._live()):
            live.joined()

    def _live(self) -> BrowserLiveCall | None:
        call = live_calls.find(self._call_id)
        return call if isinstance(call, BrowserLiveCall) else None

    async def _send(self, kind: str, **content: Any) -> None:
        await self._send_message({"type": "websocket.send", "text": json.dumps({"type": kind, **content})})

    # Page -> server

    async def _read(self, receive: Receive) -> int | None:
        """Returns the code with which to close, None if the page has closed it, or it broke."""
        while (message := await receive())["type"] == "websocket.receive":
            now = self._loop.time()
            self._allowance = min(float(MOST_MESSAGES), self._allowance + (now - self._allowed_at) * MESSAGES_PER_S) - 1
            self._allowed_at = now
            if self._allowance < 0:
                return POLICY_VIOLATION
            await self._do(_parsed(message.get("text")))
        if message.get("code") in LEFT and call_watchers.count(self._call_id) == 1 and (live := self._live()):
            live.page_left()
        return None

    async def _do(self, message: PageMessage) -> None:
        live = self._live()
        match message.type:
            case "joined" if live:
                live.joined()
            case "joined" if not self._has_joined:
                self._has_joined = True
                await page_threads.run(record_event, self._call_id, BROWSER_JOINED)
                self._news.set()
                await self._pass_on(Kind.JOINED)
            case "joined":
                await self._pass_on(Kind.JOINED)
            case "say" if text := message.text.strip()[:LONGEST_TEXT]:
                if live:
                    live.say(text)
                else:
                    await self._pass_on(Kind.SAY, text)
            case "interrupt" if live:
                live.silence_agent()
            case "interrupt":
                await self._pass_on(Kind.INTERRUPT)
            case "end" if live:
                live.hang_up(EndReason.CALLER_HUNG_UP)
            case "end":
                await page_threads.run(end_browser_call, self._call_id, EndReason.CALLER_HUNG_UP)
                self._news.set()

    async def _pass_on(self, kind: Kind, text: str = "") -> None:
        """To the process that carries the call."""
        with contextlib.suppress(DatabaseError):
            await page_threads.run(pass_message, self._call_id, kind, text)


def read_call(call_id: UUID, *, sees_cost: bool, language: str) -> tuple[dict[str, Any], str, str]:
    """As the page shows it, the reason of its end, and if this process is to carry it, its id at OpenAI."""
    call = Call.objects.select_related("organization").get(pk=call_id)
    ours = str(call.carrier_sid) if is_ours(call) else ""
    with translation.override(language):
        return progress_of(call, is_operator=sees_cost), call.end_reason, ours


def _parsed(text: object) -> PageMessage:
    """A message of no known type for what is none."""
    try:
        return _decoder.decode(text if isinstance(text, str) else "")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return PageMessage("")

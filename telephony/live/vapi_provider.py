"""VAPI as the AI provider of a call: a call over REST, then its socket, with sound in binary frames."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from django.conf import settings

from sessions.calls.briefing import Briefing
from telephony.bridge.core.actions import LinkLoss
from telephony.bridge.vapi import frames as wire
from telephony.bridge.vapi.dialect import VapiDialect
from telephony.vapi.assistants import LIVE_FACTS, artifact_plan
from telephony.vapi.legs import CALL_ID_KEY
from voiceapp.providers.errors import RetryClass
from voiceapp.providers.vapi.client import VapiCall, VapiClient, VapiError

from .links import ProviderLink
from .provider import Provider

logger = structlog.get_logger("vapi_link")

LOOK_UP_END_S = 1.0
CUSTOMER_GONE = "customer-"
# VAPI's own limit of a call's duration: ours ends the call before.
LONGER_S = 60
LONGEST_S = 43_200
# What the bridge reads (telephony/bridge/vapi/frames.py). VAPI's other events repeat the whole conversation each time.
CLIENT_MESSAGES = (
    wire.STARTED,
    wire.STATUS,
    wire.SPEECH,
    wire.TRANSCRIPT,
    wire.MODEL_OUTPUT,
    wire.VOICE_INPUT,
    wire.INTERRUPTED,
    wire.TOOL_CALLS,
    wire.TRANSFER,
    wire.HANG,
    wire.METADATA,
)
SERVER_MESSAGES = (wire.STATUS, wire.REPORT, wire.TOOL_CALLS, wire.HANG, "transfer-destination-request")


def vapi_provider(briefing: Briefing) -> Provider:
    """The assistant that the briefing names, or describes."""
    tools = frozenset(tool["name"] for tool in briefing.tools)
    protects_greeting = briefing.protects_greeting and bool(briefing.phrases.greeting)
    return Provider(
        make_dialect=partial(VapiDialect, tools=tools, protects_greeting=protects_greeting),
        make_link=partial(VapiLink, briefing.assistant_id or briefing.assistant, overrides_for(briefing)),
        runs_tools=True,
    )


def overrides_for(briefing: Briefing) -> dict[str, object]:
    """What is different for this call from VAPI's assistant: when it speaks, what it reports, and today's facts.

    The bridge lets it greet, because a caller who has heard the kept greeting must not hear another one.
    """
    overrides: dict[str, object] = {
        "metadata": {CALL_ID_KEY: briefing.call_id},
        "variableValues": {LIVE_FACTS: briefing.facts},
        "clientMessages": list(CLIENT_MESSAGES),
        "serverMessages": list(SERVER_MESSAGES),
        "firstMessageMode": "assistant-waits-for-user",
        "maxDurationSeconds": min(briefing.limits.longest_call_ms // 1000 + LONGER_S, LONGEST_S),
        "backgroundSound": "off",
        "monitorPlan": {"controlEnabled": True, "listenEnabled": False},
        "artifactPlan": artifact_plan(briefing.recording),
    }
    if briefing.phrases.greeting:
        overrides["firstMessage"] = briefing.phrases.greeting
    return overrides


class VapiLink:
    """A Link (links.py). The call is created when it is opened, and ended when it is closed, by either side."""

    was_idle = False

    def __init__(
        self,
        assistant: str | Mapping[str, object],
        overrides: dict[str, object],
        *,
        on_opened: Callable[[], None],
        on_frame: Callable[[str], None],
        on_lost: Callable[[LinkLoss], None],
    ) -> None:
        self._assistant = assistant
        self._overrides = overrides
        self._on_opened = on_opened
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._client: VapiClient | None = None
        self._call: VapiCall | None = None
        self._link: ProviderLink | None = None
        self._is_open = False
        self._is_closed = False
        self._knows_end = False

    async def open(self) -> None:
        try:
            self._client = client = VapiClient.from_settings()
            creation = asyncio.create_task(client.acreate_call(self._assistant, overrides=self._overrides))
            creation.add_done_callback(self._created)
            call = await asyncio.shield(creation)
        except VapiError as exc:
            self._report(loss_of(exc))
            return
        if self._is_closed:
            return
        self._on_frame(wire.created(call.id))
        self._link = ProviderLink(
            call.websocket_url,
            {"User-Agent": f"voiceapp/{settings.VERSION}"},
            on_opened=self._opened,
            on_frame=self._event,
            on_audio=self._sound,
            on_lost=self._lost,
        )
        await self._link.open()

    def send(self, text: str) -> None:
        """A control message as it is; base64 as the sound that it holds."""
        if self._link is None:
            return
        if text.startswith(wire.JSON_BEGINS):
            self._link.send(text)
            return
        try:
            audio = a2b_base64(text)
        except ValueError:  # the codec looks at the length of the usual frame only
            return
        self._link.send_audio(audio)

    def close(self) -> None:
        """VAPI's call ends as well, over its socket or, without one, over REST."""
        was_closed, self._is_closed = self._is_closed, True
        if self._link is not None and self._is_open:
            if not was_closed:
                self._link.send(wire.end_call())
            self._link.close()
        else:
            if self._link is not None:
                self._link.close()
            self._end_over_rest()

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def _created(self, creation: asyncio.Task[VapiCall]) -> None:
        """Before `open` goes on, which it may never do: a call that is not wanted any more is ended at once."""
        if creation.cancelled() or creation.exception() is not None:
            return
        self._call = replace(creation.result(), fields={})  # VAPI's object repeats the assistant
        if self._is_closed:
            self._end_over_rest()

    def _opened(self) -> None:
        self._is_open = True
        self._on_opened()

    def _event(self, text: str) -> None:
        """Text that is no JSON object is passed on as a bad frame: it must not be taken for sound."""
        is_object = text.lstrip()[:1] == wire.JSON_BEGINS
        self._knows_end = self._knows_end or _is_end(text)
        self._on_frame(text.lstrip() if is_object else "")

    def _sound(self, audio: bytes) -> None:
        """The hot path, fifty times a second."""
        if audio:
            self._on_frame(b64encode(audio).decode())

    def _lost(self, loss: LinkLoss) -> None:
        if self._is_open and not self._knows_end:
            _in_background(self._look_up_end(loss))
            return
        self._report(loss)
        if not self._is_open:
            self._end_over_rest()

    async def _look_up_end(self, loss: LinkLoss) -> None:
        """A socket that is closed without an event: the call may have ended as it should, or the line is lost."""
        call = None
        if self._client is not None and self._call is not None and not self._is_closed:
            try:
                async with asyncio.timeout(LOOK_UP_END_S):
                    call = await self._client.aget_call(self._call.id)
            except (VapiError, TimeoutError):
                call = None
        # VAPI takes a lost line for a customer who has hung up.
        is_wanted = call is not None and call.is_over and not call.ended_reason.startswith(CUSTOMER_GONE)
        if call is not None and is_wanted and not self._is_closed:
            self._on_frame(wire.ended(call.ended_reason))
        self._report(loss)

    def _end_over_rest(self) -> None:
        call, self._call = self._call, None
        if self._client is not None and call is not None:
            _in_background(end_quietly(self._client, call))

    def _report(self, loss: LinkLoss) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._on_lost(loss)


def _is_end(event: str) -> bool:
    """Whether the event says how the call ended. A caller may say “ended”, too: that is a transcript."""
    return f'"{wire.REPORT}"' in event or (f'"{wire.STATUS}"' in event and '"ended"' in event)


def loss_of(error: VapiError) -> LinkLoss:
    """A call that VAPI did not create."""
    wait_s = error.retry_after_s if error.retry_class is RetryClass.WAIT else None
    wait_ms = None if wait_s is None else round(wait_s * 1000)
    return LinkLoss(error.status, str(error), is_fatal=error.permanent, wait_ms=wait_ms)


async def end_quietly(client: VapiClient, call: VapiCall) -> None:
    try:
        await client.aend_call(call)
    except VapiError as exc:
        logger.warning("call of VAPI not ended", vapi_call_id=call.id, why=str(exc))


_background: set[asyncio.Task[None]] = set()


def _in_background(work: Coroutine[Any, Any, None]) -> None:
    """Beside the call, which does not wait for it, and may be over before."""
    task = asyncio.create_task(work)
    _background.add(task)
    task.add_done_callback(_background.discard)

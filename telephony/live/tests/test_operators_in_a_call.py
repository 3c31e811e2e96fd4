"""Operators and a live call, over real sockets: reading along, listening in, whispering, handing over, hanging up.

Their page is served by a process that believes that another one carries the call.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from agents.transfers.models import TransferTarget
from sessions.calls.commands import leave_note
from sessions.calls.models import Call, CallListening
from telephony.live.registry import LiveCalls
from telephony.twilio.models import PhoneNumber
from voiceapp.console.live_calls import consumers

from .browser import CSRF, signed_in
from .conftest import call_of, comes_true, end_of, in_a_thread, kinds_of
from .handset import SILENT, Handset

pytestmark = [pytest.mark.asyncio, pytest.mark.sound]

LOUD = base64.b64encode(b"\x10" * 160).decode()


@dataclass
class Operator:
    """Alice's browser on the page of a live call."""

    address: str
    session: str
    captions: list[dict[str, Any]] = field(default_factory=list)
    sounds: list[tuple[float, bytes, bytes]] = field(default_factory=list)
    close_codes: list[int] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def open(self, call: Call, *, sound: bool = False) -> None:
        cookies = f"{settings.SESSION_COOKIE_NAME}={self.session}"
        address = f"ws{self.address.removeprefix('http')}/ws/live-call/{call.pk}{'?sound' if sound else ''}"
        socket = await connect(address, additional_headers={"Cookie": cookies, "Origin": self.address}, proxy=None)
        self.tasks.append(asyncio.create_task(self._read(socket)))

    async def do(self, call: Call, what: str, **form: str) -> httpx.Response:
        cookies = {settings.SESSION_COOKIE_NAME: self.session, settings.CSRF_COOKIE_NAME: CSRF}
        headers = {"X-CSRFToken": CSRF, "Accept": "application/json"}
        async with httpx.AsyncClient(cookies=cookies, headers=headers, trust_env=False) as http:
            return await http.post(f"{self.address}/admin/live/{call.pk}/{what}/", data=form)

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for frame in socket:
                if isinstance(frame, bytes):
                    half = len(frame) // 2
                    self.sounds.append((time.monotonic(), frame[:half], frame[half:]))
                else:
                    self.captions.append(json.loads(frame)["caption"])
        except ConnectionClosed:
            pass
        finally:
            await socket.close()
            self.close_codes.append(socket.close_code or 0)


@pytest_asyncio.fixture
async def alice(line: PhoneNumber, product: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Operator]:
    monkeypatch.setattr(consumers, "live_calls", LiveCalls())
    operator = Operator(product, await in_a_thread(lambda: signed_in(line.organization)))
    yield operator
    for task in operator.tasks:
        task.cancel()
    await asyncio.gather(*operator.tasks, return_exceptions=True)


async def test_a_call_is_read_heard_whispered_to_and_ended_from_another_process(
    handset: Handset, alice: Operator
) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=8)
    call = await call_of(handset)
    await alice.open(call)
    await alice.open(call, sound=True)
    assert await asyncio.to_thread(comes_true, lambda: len(alice.sounds) > 2, 5)

    # Both voices, when they are spoken
    spoken_at = time.monotonic()
    await handset.send({"event": "media", "streamSid": handset.stream_sid, "media": {"payload": LOUD}})
    assert await asyncio.to_thread(comes_true, lambda: any(b"\x10" in caller for _, caller, _ in alice.sounds), 2)
    heard_at = next(at for at, caller, _ in alice.sounds if b"\x10" in caller)
    assert heard_at - spoken_at < 0.5
    await in_a_thread(lambda: leave_note(call.pk, "The cake is sold out."))
    assert await asyncio.to_thread(comes_true, lambda: any(not set(agent) <= SILENT for *_, agent in alice.sounds), 8)
    assert await asyncio.to_thread(comes_true, lambda: any(each["isFinal"] for each in alice.captions), 8)
    assert await asyncio.to_thread(comes_true, lambda: any(not each["isFinal"] for each in alice.captions), 8)

    # Whispering
    response = await alice.do(call, "whisper", text="Offer the <b>lemon</b> cake.")
    assert (response.status_code, response.json()) == (200, {"message": "The agent has your hint."})
    left_at = time.monotonic()
    async with asyncio.timeout(3):
        while "hint_given" not in (facts := await kinds_of(handset)):
            await asyncio.sleep(0.05)
    assert time.monotonic() - left_at < 2  # the timeline is written once a second
    assert "provider_error" not in facts

    # Hanging up
    assert (await alice.do(call, "hang-up")).status_code == 200
    assert await end_of(handset, within_s=3) == ("completed", "hung_up_by_operator")
    assert await asyncio.to_thread(comes_true, lambda: alice.close_codes == [1000, 1000], 5)
    done = {event.kind: event.detail.get("by") async for event in call.events.all()}
    for kind in ("operator_hint", "operator_hang_up", "listening_began", "listening_ended"):
        assert done[kind] == "alice"
    listening = await CallListening.objects.aget(call_number=call.pk)
    assert listening.principal == "alice"
    assert listening.ended_at is not None
    again = await alice.do(call, "hang-up")
    assert (again.status_code, again.json()) == (409, {"message": "The call is over."})


async def test_a_caller_is_handed_over_to_a_person(handset: Handset, alice: Operator, line: PhoneNumber) -> None:
    await TransferTarget.objects.acreate(
        organization=line.organization, slug="desk", name="Front desk", number="+493011122233"
    )
    await handset.dial()
    assert await handset.hears_something(within_s=8)
    call = await call_of(handset)
    assert (await alice.do(call, "hand-over", to="nobody")).status_code == 409
    assert (await alice.do(call, "hand-over", to="desk")).status_code == 200
    await handset.close_comes(within_s=12)
    dial = (await handset.post_webhook("/twiml/after")).find("./Dial")
    assert dial is not None
    assert await end_of(handset) == ("completed", "transferred")
    [event] = [each async for each in call.events.filter(kind="operator_hand_over")]
    assert event.detail == {"by": "alice", "target": "Front desk"}

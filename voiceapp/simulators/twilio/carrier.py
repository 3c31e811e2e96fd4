"""The carrier: numbers, calls and messages left, over one clock and one HTTP client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping
from types import TracebackType
from typing import Any

from voiceapp.simulators.twilio.call import LocalCall
from voiceapp.simulators.twilio.faults import Faults
from voiceapp.simulators.twilio.identifiers import new_sid
from voiceapp.simulators.twilio.numbers import Number
from voiceapp.simulators.twilio.person import Manners, sound_of
from voiceapp.simulators.twilio.plan import DEFAULT_LIMIT_S, Plan
from voiceapp.simulators.twilio.recording import mono_wav
from voiceapp.simulators.twilio.steps import Act, as_steps
from voiceapp.simulators.twilio.ticker import Ticker
from voiceapp.simulators.twilio.twiml import Document, TwimlError, Verb
from voiceapp.simulators.twilio.webhooks import WebhookFailed, Webhooks

_MOST_CALLS_KEPT = 200
#: Who answers a number that nobody configured.
SOMEBODY = Number(says="Hello, how can I help you?")

logger = logging.getLogger(__name__)


class Carrier:
    """`async with Carrier(account_sid=…, auth_token=…) as carrier: call = await carrier.place_call(…)`."""

    def __init__(self, *, account_sid: str, auth_token: str, base_url: str = "http://127.0.0.1:9100") -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.base_url = base_url
        self.ticker = Ticker()
        self.webhooks = Webhooks(auth_token)
        self.numbers: dict[str, Number] = {}
        self.calls: dict[str, LocalCall] = {}
        self.recordings: dict[str, tuple[str, bytes]] = {}  # sid → the call's sid, µ-law
        self._later: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Carrier:
        await self.webhooks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, where: TracebackType | None
    ) -> None:
        """Every call that still lives is cut off, its socket closed."""
        await asyncio.gather(*(call.cancel() for call in self.calls.values()))
        for task in tuple(self._later):
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        self.ticker.stop()
        await self.webhooks.__aexit__(kind, exc, where)

    async def place_call(
        self,
        *,
        from_number: str,
        to_number: str,
        voice_url: str = "",
        voice_method: str = "POST",
        voice_fallback_url: str = "",
        status_callback: str = "",
        status_callback_events: Iterable[str] = ("completed",),
        steps: Iterable[Mapping[str, object]] = (),
        faults: Faults | Iterable[str] = (),
        manners: Manners | None = None,
        limit_s: float = DEFAULT_LIMIT_S,
        noise: bool = True,
        keeps_sound: bool = True,
    ) -> LocalCall:
        """Somebody rings an application's number. Raise ValueError or OSError for a script that cannot be spoken."""
        number = self.numbers.get(to_number, Number())
        manners = manners or Manners()
        plan = Plan(
            from_number=from_number,
            to_number=to_number,
            voice_url=voice_url or number.voice_url,
            voice_method=voice_method if voice_url else number.voice_method,
            voice_fallback_url=voice_fallback_url or number.voice_fallback_url,
            status_callback=status_callback or number.status_callback,
            status_callback_method=number.status_callback_method,
            status_callback_events=tuple(status_callback_events),
            steps=as_steps(steps),
            manners=manners,
            faults=faults if isinstance(faults, Faults) else Faults.from_words(faults),
            limit_s=limit_s,
            noise=noise,
            keeps_sound=keeps_sound,
        )
        if not plan.voice_url:
            raise ValueError(f"{to_number} has no voice_url: configure the number or name one")
        await self._rehearse(plan)
        return self._begin(LocalCall(self, plan))

    async def call_somebody(self, plan: Plan) -> LocalCall:
        """An outbound call of the REST API: the phone of `to_number` rings."""
        phone = self.numbers.get(plan.to_number, SOMEBODY)
        return self._begin(LocalCall(self, plan, phone=phone))

    def second_leg(
        self,
        call: LocalCall,
        *,
        from_number: str,
        to_number: str,
        ring_s: float,
        status_callback: str,
        status_callback_events: tuple[str, ...],
    ) -> LocalCall:
        """The phone that a `<Dial>` rings. Its verb lets it live; it is not started."""
        phone = self.numbers.get(to_number, SOMEBODY)
        plan = Plan(
            from_number=from_number,
            to_number=to_number,
            direction="outbound-dial",
            parent_sid=call.sid,
            status_callback=status_callback,
            status_callback_events=status_callback_events,
            steps=phone.script,
            ring_s=ring_s,
            noise=call.plan.noise,
            keeps_sound=call.plan.keeps_sound,
        )
        other = LocalCall(self, plan, phone=phone)
        self.calls[other.sid] = other
        return other

    def owns(self, number: str) -> bool:
        """Whether it is one of the account's numbers, which may be shown as the caller's."""
        return number in self.numbers and bool(self.numbers[number].voice_url)

    def keep_recording(self, call_sid: str, ulaw: bytes) -> str:
        sid = new_sid("RE")
        self.recordings[sid] = (call_sid, ulaw)
        return sid

    def recording_wav(self, sid: str) -> bytes:
        return mono_wav(self.recordings[sid][1])

    def tell_later(self, work: Coroutine[Any, Any, Document | None]) -> None:
        """Let the application know something whose answer changes nothing any more."""

        async def told() -> None:
            try:
                await work
            except (WebhookFailed, TwimlError) as exc:
                logger.warning("nobody could be told: %s", exc)

        task = asyncio.create_task(told())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _rehearse(self, plan: Plan) -> None:
        """Speak the whole script once, so that nothing has to be synthesised during the call."""
        for step in plan.steps:
            if step.act in (Act.SAY, Act.WAV):
                await asyncio.to_thread(sound_of, step, plan.manners)

    def _begin(self, call: LocalCall) -> LocalCall:
        finished = [sid for sid, each in self.calls.items() if each.status.is_final]
        for sid in finished[: max(0, len(self.calls) - _MOST_CALLS_KEPT)]:
            del self.calls[sid]
        self.calls[call.sid] = call
        call.start()
        return call


def redirect_to(url: str, method: str) -> Document:
    """What a REST update with `Url` runs."""
    return Document((Verb("Redirect", {"method": method}, url),), url)

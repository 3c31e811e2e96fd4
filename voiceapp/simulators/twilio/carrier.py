"""The carrier: it places calls and keeps them, for one account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType

from voiceapp.simulators.twilio.account import Account
from voiceapp.simulators.twilio.call import SimulatedCall
from voiceapp.simulators.twilio.faults import TwilioFaults
from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.numbers import Number
from voiceapp.simulators.twilio.person import PersonProfile, audio_of
from voiceapp.simulators.twilio.plan import DEFAULT_LIMIT_S, CallPlan
from voiceapp.simulators.twilio.steps import Act, as_steps

_MAX_CALLS_KEPT = 200


class Carrier:
    """`async with Carrier(account_sid=…, auth_token=…) as carrier: call = await carrier.place_call(…)`."""

    def __init__(self, *, account_sid: str, auth_token: str, base_url: str = "http://127.0.0.1:9100") -> None:
        self.account = Account(sid=account_sid, auth_token=auth_token, base_url=base_url)
        self.numbers = self.account.numbers
        self.calls: dict[str, SimulatedCall] = {}

    async def __aenter__(self) -> Carrier:
        await self.account.webhooks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, where: TracebackType | None
    ) -> None:
        """Running calls are cut off and their sockets closed."""
        await asyncio.gather(*(call.cancel() for call in self.calls.values()))
        await self.account.close()
        await self.account.webhooks.__aexit__(kind, exc, where)

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
        faults: TwilioFaults | Iterable[str] = (),
        profile: PersonProfile | None = None,
        limit_s: float = DEFAULT_LIMIT_S,
        noise: bool = True,
        keeps_sound: bool = True,
    ) -> SimulatedCall:
        """A person calls an application's number. Raises ValueError or OSError for a script that cannot be spoken."""
        number = self.numbers.get(to_number, Number())
        plan = CallPlan(
            from_number=from_number,
            to_number=to_number,
            voice_url=voice_url or number.voice_url,
            voice_method=voice_method if voice_url else number.voice_method,
            voice_fallback_url=voice_fallback_url or number.voice_fallback_url,
            status_callback=status_callback or number.status_callback,
            status_callback_method=number.status_callback_method,
            status_callback_events=tuple(status_callback_events),
            steps=as_steps(steps),
            profile=profile or PersonProfile(),
            faults=faults if isinstance(faults, TwilioFaults) else TwilioFaults.parse(faults),
            limit_s=limit_s,
            noise=noise,
            keeps_sound=keeps_sound,
        )
        if not plan.voice_url:
            raise ValueError(f"{to_number} has no voice_url: configure the number or pass one")
        await _synthesize_steps(plan)
        return self._start(SimulatedCall(self.account, plan))

    def place_outbound_call(self, plan: CallPlan) -> SimulatedCall:
        """An outbound call of the REST API: the phone of `to_number` rings."""
        return self._start(SimulatedCall(self.account, plan, number=self.account.number(plan.to_number)))

    def legs(self) -> Iterator[CallLeg]:
        """All calls, each followed by the second legs that it dialed."""
        for call in self.calls.values():
            yield from (call, *call.second_legs)

    def open_legs(self) -> list[CallLeg]:
        """Those that have not ended: a test expects none when its call is over."""
        return [leg for leg in self.legs() if not leg.is_done]

    def find(self, sid: str) -> CallLeg | None:
        return next((leg for leg in self.legs() if leg.sid == sid), None)

    def _start(self, call: SimulatedCall) -> SimulatedCall:
        finished = [sid for sid, each in self.calls.items() if each.status.is_final]
        for sid in finished[: max(0, len(self.calls) - _MAX_CALLS_KEPT)]:
            del self.calls[sid]
        self.calls[call.sid] = call
        call.start()
        return call


async def _synthesize_steps(plan: CallPlan) -> None:
    """Synthesize all speech before the call: the audio is cached, so that nothing is synthesized during it."""
    for step in plan.steps:
        if step.act in (Act.SAY, Act.WAV):
            await asyncio.to_thread(audio_of, step, plan.profile)

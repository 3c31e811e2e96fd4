"""Dial: a second phone rings; if it is answered, the two people are connected."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable

from voiceapp.simulators.twilio.attributes import E164
from voiceapp.simulators.twilio.frames import SILENCE
from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.line import Line, Microphone, Speaker
from voiceapp.simulators.twilio.plan import CallPlan
from voiceapp.simulators.twilio.status import Status
from voiceapp.simulators.twilio.twiml import Document, Verb
from voiceapp.simulators.twilio.verbs.conference import dial_conference

_TIMEOUT_S = 30
_TIME_LIMIT_S = 4 * 3600
_MAX_FRAMES_BETWEEN = 5
# What a request says of the leg that hung up.
_OVER = {"CallStatus": "completed"}

#: Runs a document for a leg; False if the leg was hung up.
Execute = Callable[[CallLeg, Document], Awaitable[bool]]


async def dial(call: CallLeg, verb: Verb, document: Document, *, execute_whisper: Execute) -> Document | None:
    """Return when one of the two hangs up, or no one answers: the document of the action, or None for the next verb."""
    if verb.named("Conference"):
        return await _conference(call, verb, document, execute_whisper)
    numbers = verb.named("Number") or ((Verb("Number", text=verb.text),) if verb.text else ())
    if not numbers:
        call.log.notice(13221, "<Dial> has no number")
        return None
    number = numbers[0]
    if len(numbers) > 1:
        call.log.notice(12200, "only the first <Number> of a <Dial> is called by the simulator")
    caller_id = verb.get("callerId") or call.plan.from_number
    if not _may_be_shown(call, caller_id):
        call.log.notice(13214, f"Dial: invalid callerId {caller_id!r}")
        return await _action(call, verb, document, {"DialCallStatus": "failed", "DialBridged": "false"})
    if not E164.fullmatch(number.text):
        call.log.notice(13223, f"Dial: invalid phone number format {number.text!r}")
        return await _action(call, verb, document, {"DialCallStatus": "failed", "DialBridged": "false"})
    other = _second_leg(call, verb, number, document, caller_id)
    call.second_legs.append(other)
    call.log.event("dialing", to=number.text, sid=other.sid)
    try:
        outcome = await _connect(call, other, verb, number, document, execute_whisper)
    except asyncio.CancelledError:
        # The first caller hung up: the action is requested, but its document is not executed.
        if verb.get("action"):
            status = "completed" if other.answered_at else "canceled"
            params = _params(other, status, other.answered_at is not None) | _OVER
            call.account.fetch_in_background(_action(call, verb, document, params))
        raise
    call.log.event("dialed", to=number.text, status=outcome["DialCallStatus"])
    return await _action(call, verb, document, outcome)


async def _conference(call: CallLeg, verb: Verb, document: Document, execute: Execute) -> Document | None:
    limit_s = verb.seconds("timeLimit", _TIME_LIMIT_S)
    try:
        outcome = await dial_conference(call, verb, document, limit_s=limit_s, execute=execute)
    except asyncio.CancelledError:
        # The leg hung up: the action is requested. A REST update replaces the document, and with it the action.
        if call.has_hung_up and verb.get("action"):
            call.account.fetch_in_background(_action(call, verb, document, {"DialCallStatus": "answered"} | _OVER))
        raise
    return await _action(call, verb, document, outcome)


def _second_leg(call: CallLeg, verb: Verb, number: Verb, document: Document, caller_id: str) -> CallLeg:
    phone = call.account.number(number.text)
    plan = CallPlan(
        from_number=caller_id,
        to_number=number.text,
        direction="outbound-dial",
        parent_sid=call.sid,
        status_callback=document.absolute(number.get("statusCallback")) if number.get("statusCallback") else "",
        status_callback_events=tuple((number.get("statusCallbackEvent") or "completed").split()),
        steps=phone.script,
        ring_s=verb.seconds("timeout", _TIMEOUT_S),
        noise=call.plan.noise,
        keeps_sound=call.plan.keeps_sound,
    )
    return CallLeg(call.account, plan, number=phone)


def _may_be_shown(call: CallLeg, caller_id: str) -> bool:
    """The numbers of the call itself and of the account. A SIP address or a client name is not a number."""
    if not E164.fullmatch(caller_id):
        return False
    return caller_id in (call.plan.from_number, call.plan.to_number) or call.account.owns(caller_id)


async def _connect(
    call: CallLeg, other: CallLeg, verb: Verb, number: Verb, document: Document, execute_whisper: Execute
) -> dict[str, str]:
    final, bridged = Status.CANCELED, False
    try:
        if not await other.ring():
            final = other.status
            return _params(other, final.value, False)
        other.answer()
        other.start_script()
        final = Status.COMPLETED
        if number.get("url"):
            whisper = await other.fetch(document.absolute(number.get("url")), method=number.get("method", "POST"))
            if not await _play_whisper(other, execute_whisper(other, whisper)):
                return _params(other, "completed", False)
        bridged = True
        limit_s = verb.seconds("timeLimit", _TIME_LIMIT_S)
        with ConnectedLines(call.line, other.line):
            call.log.event("bridged", sid=other.sid)
            await other.wait_for_interruption(within_s=limit_s)
    finally:
        await other.finish(final)
    return _params(other, "completed", bridged)


async def _play_whisper(other: CallLeg, whisper: Awaitable[bool]) -> bool:
    """Only the second person hears it and presses keys. Returns False if the whisper or the person hung up."""
    running = asyncio.ensure_future(whisper)
    keys = asyncio.create_task(other.person.press(other.number.presses if other.number else ""))
    gone = asyncio.create_task(other.wait_for_interruption())
    try:
        await asyncio.wait({running, gone}, return_when=asyncio.FIRST_COMPLETED)
        return running.done() and running.result()
    finally:
        for task in (running, keys, gone):
            task.cancel()
        await asyncio.gather(running, keys, gone, return_exceptions=True)


def _params(other: CallLeg, status: str, bridged: bool) -> dict[str, str]:
    params = {"DialCallStatus": status, "DialCallSid": other.sid, "DialBridged": str(bridged).lower()}
    if other.answered_at:
        params["DialCallDuration"] = str(math.ceil(other.duration_s))
    return params


async def _action(call: CallLeg, verb: Verb, document: Document, extra: dict[str, str]) -> Document | None:
    if not verb.get("action"):
        return None
    return await call.fetch(document.absolute(verb.get("action")), method=verb.get("method", "POST"), extra=extra)


class ConnectedLines:
    """A context in which each of two people hears the other."""

    def __init__(self, one: Line, other: Line) -> None:
        self._lines = (one, other)

    def __enter__(self) -> None:
        one, other = self._lines
        one.microphone, other.speaker = _wire()
        other.microphone, one.speaker = _wire()

    def __exit__(self, *_exc: object) -> None:
        for line in self._lines:
            line.microphone = line.speaker = None


def _wire() -> tuple[Microphone, Speaker]:
    between: deque[bytes] = deque(maxlen=_MAX_FRAMES_BETWEEN)
    return between.append, lambda _now_ms: between.popleft() if between else SILENCE

"""Dial: a second phone rings, and if it is answered the two people are joined."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING

from voiceapp.simulators.twilio.attributes import E164
from voiceapp.simulators.twilio.frames import SILENCE
from voiceapp.simulators.twilio.line import Line, Microphone, Speaker
from voiceapp.simulators.twilio.plan import Status
from voiceapp.simulators.twilio.twiml import Document, Verb

if TYPE_CHECKING:
    from voiceapp.simulators.twilio.call import LocalCall

_TIMEOUT_S = 30
_TIME_LIMIT_S = 4 * 3600
_MOST_FRAMES_BETWEEN = 5


async def dial(call: LocalCall, verb: Verb, document: Document) -> Document | None:
    """Blocks until one of the two hangs up, or nobody answers; then the action, or the next verb."""
    numbers = verb.named("Number") or ((Verb("Number", text=verb.text),) if verb.text else ())
    if not numbers:
        call.notice(13221, "<Dial> names nobody")
        return None
    number = numbers[0]
    if len(numbers) > 1:
        call.notice(12200, "only the first <Number> of a <Dial> is rung here")
    caller_id = verb.get("callerId") or call.plan.from_number
    if not _may_be_shown(call, caller_id):
        call.notice(13214, f"Dial: invalid callerId {caller_id!r}")
        return await _action(call, verb, document, {"DialCallStatus": "failed", "DialBridged": "false"})
    if not E164.fullmatch(number.text):
        call.notice(13223, f"Dial: invalid phone number format {number.text!r}")
        return await _action(call, verb, document, {"DialCallStatus": "failed", "DialBridged": "false"})
    other = call.carrier.second_leg(
        call,
        from_number=caller_id,
        to_number=number.text,
        ring_s=verb.seconds("timeout", _TIMEOUT_S),
        status_callback=document.absolute(number.get("statusCallback")) if number.get("statusCallback") else "",
        status_callback_events=tuple((number.get("statusCallbackEvent") or "completed").split()),
    )
    call.dialed.append(other)
    call.log("dialing", to=number.text, sid=other.sid)
    try:
        outcome = await _talk(call, other, verb, number, document)
    except asyncio.CancelledError:
        # The first caller hung up: the action is told, but its answer changes nothing any more.
        if verb.get("action"):
            status = "completed" if other.answered_at else "canceled"
            call.carrier.tell_later(_action(call, verb, document, _about(other, status, other.answered_at is not None)))
        raise
    call.log("dialed", to=number.text, status=outcome["DialCallStatus"])
    return await _action(call, verb, document, outcome)


def _may_be_shown(call: LocalCall, caller_id: str) -> bool:
    """The two numbers of the call itself, and the account's. A SIP address or a client's name is no number."""
    if not E164.fullmatch(caller_id):
        return False
    return caller_id in (call.plan.from_number, call.plan.to_number) or call.carrier.owns(caller_id)


async def _talk(call: LocalCall, other: LocalCall, verb: Verb, number: Verb, document: Document) -> dict[str, str]:
    final, bridged = Status.CANCELED, False
    try:
        if not await other.ring():
            final = other.status
            return _about(other, final.value, False)
        other.answer()
        other.start_script()
        final = Status.COMPLETED
        if number.get("url") and not await _whispered(other, number, document):
            return _about(other, "completed", False)
        bridged = True
        limit_s = verb.seconds("timeLimit", _TIME_LIMIT_S)
        with Joined(call.line, other.line):
            call.log("bridged", sid=other.sid)
            await other.stay_until_hung_up(within_s=limit_s)
    finally:
        await other.finish(final)
    return _about(other, "completed", bridged)


async def _whispered(other: LocalCall, number: Verb, document: Document) -> bool:
    """Run the whisper for the second person alone; False if it or they hung up."""
    from voiceapp.simulators.twilio import application

    whisper = await other.fetch(document.absolute(number.get("url")), method=number.get("method", "POST"))
    running = asyncio.create_task(application.obey(other, whisper))
    keys = asyncio.create_task(other.person.press(other.phone.presses if other.phone else ""))
    gone = asyncio.create_task(other.stay_until_hung_up())
    try:
        await asyncio.wait({running, gone}, return_when=asyncio.FIRST_COMPLETED)
        return running.done() and running.result()
    finally:
        for task in (running, keys, gone):
            task.cancel()
        await asyncio.gather(running, keys, gone, return_exceptions=True)


def _about(other: LocalCall, status: str, bridged: bool) -> dict[str, str]:
    about = {"DialCallStatus": status, "DialCallSid": other.sid, "DialBridged": str(bridged).lower()}
    if other.answered_at:
        about["DialCallDuration"] = str(math.ceil(other.duration_s))
    return about


async def _action(call: LocalCall, verb: Verb, document: Document, extra: dict[str, str]) -> Document | None:
    if not verb.get("action"):
        return None
    return await call.fetch(document.absolute(verb.get("action")), method=verb.get("method", "POST"), extra=extra)


class Joined:
    """A context in which each of two people hears what the other says."""

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
    between: deque[bytes] = deque(maxlen=_MOST_FRAMES_BETWEEN)
    return between.append, lambda _now_ms: between.popleft() if between else SILENCE

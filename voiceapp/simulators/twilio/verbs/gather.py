"""Gather: the keys that the caller presses while nested verbs are played."""

from __future__ import annotations

import asyncio

from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.twiml import Document, Verb
from voiceapp.simulators.twilio.verbs.speak import pause, play, say

_TIMEOUT_S = 5
_PROMPTS = {"Say": say, "Play": play, "Pause": pause}


async def gather(call: CallLeg, verb: Verb, document: Document) -> Document | None:
    """Returns the document of the action; None, for the next verb, if no key is pressed before the time-out."""
    wanted = int(verb.seconds("numDigits", 0))
    finish_key = verb.get("finishOnKey", "#")
    digits: list[str] = []
    last_ms = -1

    def is_complete() -> bool:
        return bool(digits) and (digits[-1] in finish_key or (wanted > 0 and len(digits) >= wanted))

    def pressed(key: str) -> None:
        nonlocal last_ms
        if not is_complete():
            digits.append(key)
            last_ms = call.line.now_ms

    call.line.on_key = pressed
    prompts = asyncio.create_task(_prompt(call, verb, document))
    try:
        # The first key stops the prompt; the time-out counts from the end of the prompt, then from each key.
        await call.line.until(lambda: bool(digits) or prompts.done())
        if not prompts.done():
            prompts.cancel()
        await asyncio.gather(prompts, return_exceptions=True)
        last_ms = max(last_ms, call.line.now_ms)
        wait_ms = verb.seconds("timeout", _TIMEOUT_S) * 1000
        await call.line.until(lambda: is_complete() or call.line.now_ms - last_ms >= wait_ms)
    finally:
        prompts.cancel()
        call.line.on_key = None
    if not prompts.cancelled() and (error := prompts.exception()):
        raise error
    pressed_keys = "".join(digits)
    if pressed_keys and pressed_keys[-1] in finish_key:
        pressed_keys = pressed_keys[:-1]
    if not digits and verb.get("actionOnEmptyResult") != "true":
        return None
    extra = {"Digits": pressed_keys, "FinishedOnKey": digits[-1] if digits and digits[-1] in finish_key else ""}
    return await call.fetch(document.absolute(verb.get("action")), method=verb.get("method", "POST"), extra=extra)


async def _prompt(call: CallLeg, verb: Verb, document: Document) -> None:
    for noun in verb.nouns:
        await _PROMPTS[noun.name](call, noun, document)

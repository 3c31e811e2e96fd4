"""Dial with a Conference: the leg waits until the conference starts, takes part, and goes on when it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from voiceapp.simulators.twilio.conferences import Participant
from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.twiml import Document, TwimlError, Verb
from voiceapp.simulators.twilio.verbs.speak import play
from voiceapp.simulators.twilio.webhooks import WebhookFailed

MAX_NAME_CHARACTERS = 128
_INVALID_NAME = 13231
_REFUSED = 16025
_URLS = ("waitUrl", "statusCallback")

Execute = Callable[[CallLeg, Document], Awaitable[bool]]


async def dial_conference(
    call: CallLeg, verb: Verb, document: Document, *, limit_s: float, execute: Execute
) -> dict[str, str]:
    """Return the fields for the action when the conference is over for this leg."""
    noun = verb.named("Conference")[0]
    if not 0 < len(noun.text) <= MAX_NAME_CHARACTERS:
        call.log.notice(_INVALID_NAME, f"Dial: invalid conference name {noun.text!r}")
        return {"DialCallStatus": "failed"}
    if "conference_refused" in call.faults:
        call.log.notice(_REFUSED, "the conference could not be joined")
        return {"DialCallStatus": "failed"}
    urls = {name: document.absolute(noun.get(name)) for name in _URLS if noun.get(name)}
    participant = Participant(call.sid, call.line, dict(noun.attributes) | urls)
    conference = call.account.conference(noun.text)
    waiting = asyncio.create_task(_wait_music(call, participant, document, execute), name=f"wait music {call.sid}")
    call.log.event("conference_joined", name=noun.text, sid=conference.sid)
    conference.join(participant)
    try:
        await asyncio.wait({participant.dropped}, timeout=limit_s)
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        conference.leave(participant)
        call.log.event("conference_left", name=noun.text, sid=conference.sid)
    return {"DialCallStatus": "answered", "DialBridged": str(participant.started.is_set()).lower()}


async def _wait_music(call: CallLeg, participant: Participant, document: Document, execute: Execute) -> None:
    """What the leg hears before the conference starts: the document of `waitUrl`, over and over; without one silence.

    Twilio's own music is left out: an application that does not name its own says so with an empty `waitUrl`.
    """
    playing = asyncio.create_task(_play_over_and_over(call, participant, execute))
    starting = asyncio.create_task(participant.started.wait())
    try:
        await asyncio.wait({playing, starting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (playing, starting):
            task.cancel()
        await asyncio.gather(playing, starting, return_exceptions=True)
        if participant.started.is_set():
            # The last audio that waited took the line's speaker with it.
            call.line.speaker = participant.next_frame


async def _play_over_and_over(call: CallLeg, participant: Participant, execute: Execute) -> None:
    url, method = participant.attributes.get("waitUrl", ""), participant.attributes.get("waitMethod", "POST")
    while url:
        try:
            response = await call.request(url, method=method, extra={})
            if response.content_type.startswith("audio/"):
                await play(call, Verb("Play", text=url), Document((), url))
            else:
                await execute(call, call.read_document(url, response))
        except (WebhookFailed, TwimlError) as exc:
            call.log.notice(exc.code, exc.message)
            return
        await call.line.wait_ms(20)

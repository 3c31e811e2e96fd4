"""The TwiML of a warm transfer: what the caller hears while waiting, what the person is offered, and the conference."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from twilio.twiml.voice_response import Dial, VoiceResponse

from sessions.calls.models import Call
from telephony.twilio import twiml
from telephony.twilio.phrases import Phrase, phrase, voice_language

from .addresses import caller_over_url, caller_url, hold_sound_url, joined_url, leg_urls
from .models import Transfer, TransferAttempt

# Not only the hold's sound: in every third round, of 8 s each, the caller hears that a person is still being called.
SAYS_EVERY = 3
DECIDES_WITHIN_S = 8
ACCEPT, DECLINE = "1", "2"


def language_of(call: Call) -> str:
    """The language in which the call is answered."""
    persona = call.agent_version or call.agent
    return persona.language if persona is not None else "en"


def hold(transfer: Transfer, *, rounds: int) -> HttpResponse:
    """A sentence and a sound, then the carrier requests again what follows."""
    language = language_of(transfer.call)
    response = VoiceResponse()
    if rounds == 0:
        twiml.say(response, (phrase(Phrase.HOLD, language, name=transfer.name),), language)
    elif rounds % SAYS_EVERY == 0:
        twiml.say(response, (phrase(Phrase.STILL_HOLD, language),), language)
    response.play(hold_sound_url())
    response.redirect(caller_url(transfer.pk, rounds=rounds + 1), method="POST")
    return twiml.answer(response)


def hold_on(transfer_id: UUID, *, rounds: int) -> HttpResponse:
    """The same without the database: the sound only."""
    response = VoiceResponse()
    response.play(hold_sound_url())
    response.redirect(caller_url(transfer_id, rounds=rounds + 1), method="POST")
    return twiml.answer(response)


def offer(attempt: TransferAttempt) -> HttpResponse:
    """The summary, and the keys. Who presses none, like a voicemail, is hung up after their second reading."""
    language = language_of(attempt.transfer.call)
    keys = phrase(Phrase.OFFER, language)
    response = VoiceResponse()
    for sentences in ((attempt.transfer.summary, keys), (keys,)):
        gather = response.gather(
            action=leg_urls(attempt).pressed,
            method="POST",
            input="dtmf",
            num_digits=1,
            finish_on_key="",
            timeout=DECIDES_WITHIN_S,
        )
        for sentence in sentences:
            gather.say(sentence, language=voice_language(language))
    response.hangup()
    return twiml.answer(response)


def join_person(attempt: TransferAttempt) -> HttpResponse:
    """The person enters the conference, and ends it by hanging up."""
    language = language_of(attempt.transfer.call)
    response = VoiceResponse()
    twiml.say(response, (phrase(Phrase.JOINING, language),), language)
    # Silence until the caller comes, instead of music that is not ours.
    _conference(response, attempt.transfer, action=leg_urls(attempt).over, wait_url="")
    return twiml.answer(response)


def join_caller(transfer: Transfer) -> HttpResponse:
    """The caller enters the conference, and ends it by hanging up."""
    response = VoiceResponse()
    _conference(response, transfer, action=caller_over_url(transfer.pk), wait_url=hold_sound_url())
    return twiml.answer(response)


def _conference(response: VoiceResponse, transfer: Transfer, *, action: str, wait_url: str) -> None:
    dial = Dial(action=action, method="POST", time_limit=twiml.LONGEST_TRANSFER_S)
    dial.conference(
        f"transfer-{transfer.pk}",
        beep=False,
        start_conference_on_enter=True,
        end_conference_on_exit=True,
        max_participants=2,
        wait_url=wait_url,
        wait_method="GET",
        status_callback=joined_url(transfer.pk),
        status_callback_event="join leave",
        status_callback_method="POST",
    )
    response.append(dial)

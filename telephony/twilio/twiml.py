"""The TwiML we answer with. Only the SDK's builders write XML, so that nothing a caller says becomes a verb."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Connect, VoiceResponse

from voiceapp.core.phones.numbers import validate_dialable, validate_e164

from .models import MediaStream
from .phrases import voice_language
from .signature import stream_url
from .tokens import token_for

RING_FOR_S: int = settings.TRANSFER_RING_S
LONGEST_TRANSFER_S = 60 * 60
LONGEST_MESSAGE_S = 120


def connect(stream: MediaStream) -> HttpResponse:
    """Bridge the call to our socket; the ids and the one-time token travel as parameters."""
    call = stream.call
    query = f"?stream={stream.id}" if stream.is_return else ""
    verb = Connect(action=public_url(f"/twiml/after{query}"), method="POST")
    noun = verb.stream(
        url=stream_url("/ws/twilio"),
        status_callback=public_url("/twilio/stream-status"),
        status_callback_method="POST",
    )
    noun.parameter(name="token", value=token_for(stream.id))
    noun.parameter(name="callId", value=str(call.id))
    noun.parameter(name="orgId", value=str(call.organization_id))
    response = VoiceResponse()
    response.append(verb)
    return answer(response)


def hang_up(*sentences: str, language: str = "en") -> HttpResponse:
    """Say the sentences, then hang up."""
    response = VoiceResponse()
    say(response, sentences, language)
    response.hangup()
    return answer(response)


def dial(
    number: str, *sentences: str, caller_id: str, language: str, action: str = "/twiml/after-dial"
) -> HttpResponse:
    """Say the sentences, then ring a person. The result arrives at the path `action`.

    Both numbers are E.164; an empty `caller_id` shows the caller's own. Raises ValidationError for others.
    """
    validate_dialable(number)
    if caller_id:
        validate_e164(caller_id)
    response = VoiceResponse()
    say(response, sentences, language)
    verb = response.dial(
        caller_id=caller_id or None,
        timeout=RING_FOR_S,
        time_limit=LONGEST_TRANSFER_S,
        action=public_url(action),
        method="POST",
    )
    verb.number(number)
    return answer(response)


def take_message(*sentences: str, language: str) -> HttpResponse:
    """Say the sentences, then record what the caller says."""
    response = VoiceResponse()
    say(response, sentences, language)
    response.record(
        action=public_url("/twiml/after-message"),
        method="POST",
        max_length=LONGEST_MESSAGE_S,
        timeout=5,
        finish_on_key="#",
        play_beep=True,
        recording_status_callback=public_url("/twilio/recording-status"),
        recording_status_callback_method="POST",
        recording_status_callback_event="completed absent",
    )
    response.hangup()
    return answer(response)


def reply(text: str) -> HttpResponse:
    """Answer a text that came in; an empty text answers nothing."""
    response = MessagingResponse()
    if text:
        response.message(text)
    return answer(response)


def say(response: VoiceResponse, sentences: tuple[str, ...], language: str) -> None:
    """Add what can be written in XML of the sentences."""
    for sentence in sentences:
        spoken = "".join(sign if sign.isprintable() else " " for sign in sentence).strip()
        if spoken:
            response.say(spoken, language=voice_language(language))


def answer(response: VoiceResponse | MessagingResponse) -> HttpResponse:
    return HttpResponse(str(response), content_type="text/xml; charset=utf-8")


def public_url(path: str) -> str:
    return f"{settings.PUBLIC_BASE_URL}{path}"

"""`POST /twilio/message`: a customer texts us. `POST /twilio/message-status`: what became of a text of ours."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.http import HttpResponse

from agents.organizations.models import Organization
from sessions.messages.texts.kinds import LONGEST_BODY
from sessions.messages.texts.services.incoming import receive_text
from sessions.messages.texts.services.statuses import note_status
from telephony.twilio import twiml
from telephony.twilio.models import PhoneNumber
from telephony.twilio.services.admission import find_organization
from telephony.twilio.signature import Subject
from voiceapp.core.plain_text import NOT_IN_A_TEXT

from .endpoint import SignedForm, twilio_webhook
from .status import busy

logger = structlog.get_logger("webhooks")


@twilio_webhook(without_database=busy, about=Subject.MESSAGE)
def message(form: SignedForm) -> HttpResponse:
    """Keep the text. The response is empty, for Twilio answers STOP and START itself, or has the text for HELP."""
    organization = _organization_of(form)
    if organization is None:
        logger.warning("a text to an unknown number", message_sid=form.text("MessageSid"))
        return twiml.reply("")
    answer = receive_text(
        organization,
        sid=form.text("MessageSid"),
        number=form.text("From"),
        our_number=form.text("To"),
        body=_body_of(form),
        opt_out_type=form.text("OptOutType"),
    )
    return twiml.reply(answer)


@twilio_webhook(without_database=busy, about=Subject.MESSAGE)
def message_status(form: SignedForm) -> HttpResponse:
    """The address names our text, so that it is found before its carrier ID is stored."""
    try:
        text_id = UUID(form.query.get("text", ""))
    except ValueError:
        text_id = None
    note_status(form.text("MessageSid"), form.text("MessageStatus"), text_id=text_id, error_code=_code(form))
    return HttpResponse(status=204)


def _organization_of(form: SignedForm) -> Organization | None:
    """By the number that was texted, else by the address."""
    number = PhoneNumber.objects.select_related("organization").filter(number=form.text("To")).first()
    return number.organization if number else find_organization(form.query.get("orgId", ""))


def _body_of(form: SignedForm) -> str:
    """The body, and how many pictures came with it."""
    body = NOT_IN_A_TEXT.sub(" ", form.fields.get("Body", "").replace("\r\n", "\n"))[:LONGEST_BODY].strip()
    pictures = form.number("NumMedia") or 0
    return f"{body}\n[{pictures} attached]".strip() if pictures else body


def _code(form: SignedForm) -> int | None:
    """Twilio's codes have five digits."""
    code = form.number("ErrorCode")
    return code if code is not None and code < 100_000 else None

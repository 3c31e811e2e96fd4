"""Keeps a text that a customer sent, and does what its keyword says."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from agents.organizations.models import Organization
from sessions.calls.models import Direction
from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.texts.announcing import announce_text
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import OptOut, Text, TextState, text_settings_of
from sessions.messages.texts.segments import size_of
from voiceapp.core.phones.numbers import is_e164
from voiceapp.core.transactions import serialize

from .checking import may_reply
from .opt_outs import keyword_of, set_opt_out
from .queueing import body_of


def receive_text(
    organization: Organization, *, sid: str, number: str, our_number: str, body: str, opt_out_type: str = ""
) -> str:
    """Keep the text once. Returns the reply: none, or for HELP the organization's own text.

    `opt_out_type`: Twilio's Messaging Service has recognized a keyword, and answered it.
    """
    with transaction.atomic():
        serialize(f"sessions.texts:{organization.pk}")
        keyword = keyword_of(body, opt_out_type=opt_out_type)
        key = f"received:{sid}"
        if not Text.objects.filter(organization=organization, key=key).exists():
            text = Text.objects.create(
                organization=organization,
                direction=Direction.INBOUND,
                key=key,
                provider_sid=sid,
                number=number,
                our_number=our_number,
                body=body,
                segments=size_of(body).segments,
                state=TextState.RECEIVED,
                ended_at=timezone.now(),
            )
            announce_text(text, WebhookEvent.TEXT_RECEIVED)
            if keyword in ("STOP", "START") and is_e164(number):
                set_opt_out(organization, number, is_out=keyword == "STOP", source=OptOut.Source.KEYWORD)
        wishes = text_settings_of(organization)
        is_our_help = keyword == "HELP" and not opt_out_type and wishes.answers_help
        if not is_our_help or not may_reply(organization, wishes, number):
            return ""
        return body_of(organization, TextKind.HELP, {}, call=None, sender=our_number)

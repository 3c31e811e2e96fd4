"""Queues a text: the row and its outbox message in the caller's transaction, once per key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from agents.organizations.models import Organization
from agents.organizations.trades import language_of
from sessions.calls.models import Call
from sessions.calls.services import record_event
from sessions.messages.outbox import outbox
from sessions.messages.texts.kinds import DEFAULTS, TextKind
from sessions.messages.texts.models import LONGEST_KEY, Text, TextState, TextTemplate, text_settings_of
from sessions.messages.texts.segments import size_of
from sessions.messages.texts.wording import default_body, render
from voiceapp.core.phones.numbers import show_number
from voiceapp.core.transactions import serialize

from .checking import cap_reached, known_failure, sender_of, why_not

TOPIC = "text.send"
# The key of a text that an operator sends again, whatever has failed before.
AGAIN = "again:"
# A confirmation that comes later than this puzzles more than it helps.
SENT_WITHIN = dt.timedelta(hours=2)


def queue_text(
    organization: Organization,
    *,
    to: str,
    kind: TextKind,
    fields: Mapping[str, object],
    key: str,
    call: Call | None = None,
    about: str = "",
    about_at: dt.datetime | None = None,
    due_at: dt.datetime | None = None,
    not_after: dt.datetime | None = None,
) -> Text:
    """The text of that key, written and queued with the caller's transaction, or as it was queued before.

    One that cannot be sent, as far as that is known now, is kept too: `not_sent`, with the reason; requested again, it
    is checked again. `fields` are the facts of its kind; the organization's name and number are added. It is sent at
    `due_at`, and not after `not_after`.
    """
    now = timezone.now()
    due_at = due_at or now
    not_after = not_after or due_at + SENT_WITHIN
    with transaction.atomic():
        serialize(f"sessions.texts:{organization.pk}")
        known = Text.objects.filter(organization=organization, key=key[:LONGEST_KEY]).first()
        wishes = text_settings_of(organization)
        sender = sender_of(organization, call)
        if known is not None and known.state != TextState.NOT_SENT:
            return known
        our_number = "" if wishes.messaging_service_sid else sender
        reason = why_not(organization, wishes, to, sender=sender)
        reason = reason or known_failure(organization, to, sender=our_number, due_at=due_at)
        reason = reason or cap_reached(organization, wishes, to, at=due_at)
        if known is not None:
            return known if reason else _send_after_all(known, due_at, not_after)
        body = body_of(organization, kind, fields, call=call, sender=sender)
        text = Text.objects.create(
            organization=organization,
            call=call,
            kind=kind,
            key=key[:LONGEST_KEY],
            about=about,
            about_at=about_at,
            number=to,
            our_number=our_number,
            body=body,
            segments=size_of(body).segments,
            state=TextState.NOT_SENT if reason else TextState.WAITING,
            reason=reason or "",
            due_at=due_at,
            not_after=not_after,
            ended_at=now if reason else None,
        )
        if reason is None:
            enqueue(text)
        if call is not None:
            record_event(call.pk, "text_not_sent" if reason else "text_queued", event_of(text))
    return text


def _send_after_all(text: Text, due_at: dt.datetime, not_after: dt.datetime) -> Text:
    """The reason for which it was not sent is gone: the customer texted START, or a maximum was raised."""
    text.state, text.reason, text.ended_at = TextState.WAITING, "", None
    text.due_at, text.not_after = due_at, not_after
    text.save()
    enqueue(text)
    return text


def enqueue(text: Text) -> None:
    """Have a waiting text sent when it is due."""
    outbox.enqueue(
        TOPIC,
        # Of its own: a reminder that waits for days must not keep others waiting.
        partition_key=f"text:{text.pk}",
        body={"textId": str(text.pk)},
        organization=text.organization,
        delay=max(text.due_at - timezone.now(), dt.timedelta()),
    )


def event_of(text: Text) -> dict[str, object]:
    """The detail of an event on the call's timeline: neither number nor body."""
    detail: dict[str, object] = {"text": str(text.pk), "kind": text.kind}
    if text.reason:
        detail["reason"] = text.reason
    if text.error_code:
        detail["code"] = text.error_code
    return detail


def body_of(
    organization: Organization, kind: TextKind, fields: Mapping[str, object], *, call: Call | None, sender: str
) -> str:
    language = text_language(organization, call)
    own = TextTemplate.objects.filter(organization=organization, kind=kind, language=language).first()
    always = {"name": organization.name, "phone": show_number(sender) if sender else ""}
    return render(kind, own.body if own else default_body(kind, language), {**fields, **always})


def text_language(organization: Organization, call: Call | None) -> str:
    """The language of the agent that spoke, where there are texts in it, else that of the organization's country."""
    version = call.agent_version if call is not None else None
    spoken = (version.language if version is not None else "").partition("-")[0].lower()
    return spoken if spoken in DEFAULTS else language_of(organization.region)

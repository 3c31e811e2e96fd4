"""What all of Twilio's webhooks share: POST only, forms only, signed, and never an error page during a phone call."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt

from sessions.calls.models import Call
from telephony.events.refusals import note_refusal
from telephony.twilio.services.streams import are_true
from telephony.twilio.signature import Subject, refuse, why_refused
from telephony.twilio.webhook_notes import SOURCE, note_webhook

logger = structlog.get_logger("webhooks")

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class SignedForm:
    """A request that Twilio signed. Its fields may still say anything: read them with `text`.

    `call_sid` is empty for those about a message.
    """

    call_sid: str
    fields: Mapping[str, str]
    query: Mapping[str, str]

    def text(self, name: str, longest: int = 64) -> str:
        """A field as one printable line that the database can keep, empty when it is absent."""
        return "".join(sign for sign in self.fields.get(name, "") if sign.isprintable())[:longest]

    def uuid(self, name: str) -> UUID | None:
        """An id in the address, None when it is none."""
        try:
            return UUID(self.query.get(name, ""))
        except ValueError:
            return None

    def number(self, name: str) -> int | None:
        """A field that counts something, None when it does not."""
        digits = self.text(name, 10)
        return int(digits) if digits.isascii() and digits.isdigit() else None


Webhook = Callable[[SignedForm], HttpResponse]
View = Callable[[HttpRequest], HttpResponse]


def twilio_webhook(
    *, without_database: Callable[[], HttpResponse], about: Subject = Subject.CALL
) -> Callable[[Webhook], View]:
    """Make a view of a function that takes a SignedForm. `without_database` answers while the database is away."""

    def decorate(webhook: Webhook) -> View:
        name = webhook.__name__

        @csrf_exempt
        @functools.wraps(webhook)
        def view(request: HttpRequest) -> HttpResponse:
            if request.method != "POST":
                return HttpResponse(status=405, headers={"Allow": "POST"})
            if not request.headers.get("X-Twilio-Signature"):
                return _refused(request, name, "no signature")
            if request.content_type != FORM:
                return HttpResponse(status=415)
            if why := why_refused(request, about=about):
                return _refused(request, name, why)
            form = SignedForm(request.POST.get("CallSid", ""), one_each(request.POST), one_each(request.GET))
            try:
                response = webhook(form)
            except DatabaseError:
                logger.exception("the database did not answer", webhook=name)
                return without_database()
            note_webhook(name, form.fields, form.query)
            return response

        view.is_signed_by_twilio = True  # type: ignore[attr-defined]
        return view

    return decorate


def _refused(request: HttpRequest, name: str, why: str) -> HttpResponse:
    refuse(name, why)
    note_refusal(SOURCE, webhook=name, reason=why, request=request)
    return HttpResponse(status=403)


def one_each(fields: QueryDict) -> dict[str, str]:
    """The fields of a request whose names are known not to repeat."""
    return {name: str(value) for name, value in fields.items()}


def find_call(form: SignedForm) -> Call | None:
    """The call of the request, None when we do not know it or the address names another one."""
    call = (
        Call.objects.select_related("organization", "agent", "agent_version").filter(carrier_sid=form.call_sid).first()
    )
    return call if call is not None and are_true(form.query, call) else None

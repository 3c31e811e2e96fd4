"""The tool that texts the caller: one of a few kinds, never free words, and only to the number of the call."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Literal

from django.utils import timezone
from msgspec import Struct

from agents.organizations.models import Organization
from sessions.appointments.models import AppointmentState
from sessions.appointments.texts import text_about
from sessions.calls.models import Call
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import Text, TextState, text_settings_of
from sessions.messages.texts.reasons import explanation_of
from sessions.messages.texts.services.checking import number_of
from sessions.messages.texts.services.queueing import queue_text
from sessions.orders.draft import Refused
from sessions.orders.draft.requests import argument
from sessions.orders.services.confirmations import text_order
from sessions.orders.services.drafts import standing_order

from .tool import Answer, Tool, ToolRequest

ON_ITS_WAY = "The text message is on its way to your phone."
NO_MENU = "I cannot text you the menu, but I can tell you what we have."
NO_APPOINTMENT = "There is no appointment of this call that I could text you."
NO_ORDER = "There is no order yet that I could text you."

About = Literal["menu", "order", "appointment"]


class Wish(Struct):
    about: Annotated[
        About,
        argument(
            "Should I text you the menu, your order, or your appointment?",
            "menu: a link to the menu. order: the submitted order. appointment: the one booked on this call.",
        ),
    ]


def can_text(organization: Organization, tools: Collection[str]) -> bool:
    """Whether there is anything that an agent with these tools could text to a caller."""
    wishes = text_settings_of(organization)
    return wishes.is_on and (bool(wishes.menu_url) or not {"submit_order", "book_appointment"}.isdisjoint(tools))


def send_text(request: ToolRequest[Wish]) -> Answer:
    return text_answer(TEXTS[request.arguments.about](request.call))


def text_answer(text: Text) -> Answer:
    """What the caller hears of a text: that it is under way, or why there is none."""
    if text.reason:
        return Answer(explanation_of(text.reason).say, is_ok=False, facts={"reason": text.reason})
    return Answer("You have the text message." if text.state == TextState.DELIVERED else ON_ITS_WAY)


def _text_menu(call: Call) -> Text:
    assert call.organization is not None
    link = text_settings_of(call.organization).menu_url
    if not link:
        raise Refused(NO_MENU)
    return queue_text(
        call.organization,
        to=number_of(call),
        kind=TextKind.MENU_LINK,
        fields={"link": link},
        key=f"call:{call.pk}:menu",
        call=call,
    )


def _text_order(call: Call) -> Text:
    order = standing_order(call)
    if order is None:
        raise Refused(NO_ORDER)
    return text_order(order)


def _text_appointment(call: Call) -> Text:
    booked = call.appointments.filter(state=AppointmentState.BOOKED, starts_at__gt=timezone.now())
    appointment = booked.select_related("organization", "call").order_by("-created_at").first()
    text = None
    if appointment is not None:
        text = text_about(appointment, TextKind.APPOINTMENT_CONFIRMATION, call=call)
    if text is None:
        raise Refused(NO_APPOINTMENT)
    return text


TEXTS: Mapping[str, Callable[[Call], Text]] = {
    "menu": _text_menu,
    "order": _text_order,
    "appointment": _text_appointment,
}

SEND_TEXT = Tool(
    name="send_text",
    description="Text (SMS) the caller's own number, when the caller wants it. It is sent only if the answer is ok; "
    "otherwise say its sentence.",
    arguments=Wish,
    only_reads=False,
    run=send_text,
)

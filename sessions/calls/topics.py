"""What callers ask about, as the tools that the agent used for them say it: no model reads the call once more.

A call keeps its topics as bits of a number (`Call.topics`), which is written with each tool call, so that lists find a
topic's calls by their index. After a change of TOOLS, earlier calls have the topics that it said before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db.models import F, Q, TextChoices
from django.db.models.lookups import GreaterThan
from django.utils.translation import gettext_lazy as _

from .end_reasons import EndReason


class CallTopic(TextChoices):
    """A call can have several; of calls in which the agent only talked, nothing is known."""

    ORDER = "order", _("Ordering")
    MENU = "menu", _("What is offered, and prices")
    NOT_OFFERED = "not_offered", _("What is not offered")
    DELIVERY = "delivery", _("Delivery")
    APPOINTMENT = "appointment", _("Making an appointment")
    APPOINTMENT_CHANGE = "appointment_change", _("Moving or canceling an appointment")
    HOURS = "hours", _("Opening hours")
    TEXT = "text", _("A text message")
    PERSON = "person", _("Talking to a person")


# Calls are stored with these numbers: a new topic gets the next one, and none is ever used again.
BITS: Mapping[CallTopic, int] = {
    CallTopic.ORDER: 1,
    CallTopic.MENU: 2,
    CallTopic.NOT_OFFERED: 4,
    CallTopic.DELIVERY: 8,
    CallTopic.APPOINTMENT: 16,
    CallTopic.APPOINTMENT_CHANGE: 32,
    CallTopic.HOURS: 64,
    CallTopic.TEXT: 128,
    CallTopic.PERSON: 256,
}
TOOLS: Mapping[CallTopic, frozenset[str]] = {
    CallTopic.ORDER: frozenset({"change_order", "usual_order", "read_back_order", "submit_order"}),
    CallTopic.MENU: frozenset({"look_up_items", "look_up_services"}),
    CallTopic.DELIVERY: frozenset({"choose_delivery"}),
    CallTopic.APPOINTMENT: frozenset(
        {"find_appointment_times", "choose_appointment", "read_back_appointment", "book_appointment"}
    ),
    CallTopic.APPOINTMENT_CHANGE: frozenset({"find_my_appointments", "move_appointment", "cancel_appointment"}),
    CallTopic.HOURS: frozenset({"get_opening_hours"}),
    CallTopic.TEXT: frozenset({"send_text"}),
    CallTopic.PERSON: frozenset({"transfer_call"}),
}
# Of a tool that found nothing: asked for, and not there.
LOOKING_UP = TOOLS[CallTopic.MENU]


def bits_of_tool(tool: str, *, is_refused: bool) -> int:
    """The topics of one tool call."""
    return sum(BITS[topic] for topic in _topics_of_tool(tool, is_refused=is_refused))


def topics_of(bits: int, end_reason: str) -> list[CallTopic]:
    """Of a call with these `topics`; people can also be asked for by their key, which no tool says."""
    if end_reason == EndReason.TRANSFERRED:
        bits |= BITS[CallTopic.PERSON]
    return [topic for topic, bit in BITS.items() if bits & bit]


def has_topic(topic: str) -> Q:
    """Of calls those with that topic, as `topics_of` says."""
    found = Q(GreaterThan(F("topics").bitand(BITS[CallTopic(topic)]), 0))
    return found | Q(end_reason=EndReason.TRANSFERRED) if topic == CallTopic.PERSON else found


def _topics_of_tool(tool: str, *, is_refused: bool) -> Iterator[CallTopic]:
    if tool in LOOKING_UP and is_refused:
        yield CallTopic.NOT_OFFERED
        return
    yield from (topic for topic, tools in TOOLS.items() if tool in tools)

"""What callers ask about, as the tools that the agent used for them say it: no model reads the call once more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db.models import Exists, OuterRef, Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import ToolCall

# Up to so many calls are looked up by their keys, as of outcomes (outcomes.py).
MOST_KNOWN = 5000
REFUSED = ToolCall.Outcome.REFUSED


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


def topics_of(tool: str, outcome: str) -> Iterator[CallTopic]:
    """Of one tool call."""
    if tool in LOOKING_UP and outcome == REFUSED:
        yield CallTopic.NOT_OFFERED
        return
    yield from (topic for topic, tools in TOOLS.items() if tool in tools)


def has_topic(topic: str) -> Q:
    """Of visible calls those with that topic, as `topics_of` says; people can also be asked for by their key."""
    rows = _tool_calls(CallTopic(topic))
    few = list(rows.order_by().values_list("call_id", flat=True)[: MOST_KNOWN + 1])
    found = Q(pk__in=few) if len(few) <= MOST_KNOWN else Q(Exists(rows.filter(call=OuterRef("pk"))))
    return found | Q(end_reason=EndReason.TRANSFERRED) if topic == CallTopic.PERSON else found


def _tool_calls(topic: CallTopic) -> QuerySet[ToolCall]:
    if topic == CallTopic.NOT_OFFERED:
        return ToolCall.objects.filter(name__in=LOOKING_UP, outcome=REFUSED)
    rows = ToolCall.objects.filter(name__in=TOOLS[topic])
    return rows.exclude(outcome=REFUSED) if topic == CallTopic.MENU else rows

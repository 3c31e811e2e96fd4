"""What an organization does for a living, and the agent that works for it without further settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

# Tools that take an order, from the first word to the kitchen; an agent without one of them takes none.
ORDER_TOOLS = frozenset({"change_order", "read_back_order", "submit_order"})
# Tools that book, move and cancel appointments; an agent without one of them makes none.
MAKING_APPOINTMENTS = ("look_up_services", "find_appointment_times", "choose_appointment", "read_back_appointment",
                       "book_appointment", "find_my_appointments", "move_appointment",
                       "cancel_appointment")  # fmt: skip
APPOINTMENT_TOOLS = frozenset(MAKING_APPOINTMENTS)
# Without one of these nothing is booked.
TOOLS_TO_BOOK = ("find_appointment_times", "choose_appointment", "read_back_appointment", "book_appointment")
TALKING_TOOLS = ("look_up_items", "send_text", "transfer_call", "end_call", "get_opening_hours")
# Of them, what is about delivery: an organization that delivers nowhere does not need it.
DELIVERY_TOOL = "choose_delivery"
# What needs callers who may be known again.
USUAL_TOOL = "usual_order"
TAKING_ORDERS = ("look_up_items", "change_order", USUAL_TOOL, DELIVERY_TOOL, "read_back_order", "submit_order",
                 "send_text", "transfer_call", "end_call", "get_opening_hours")  # fmt: skip

# What people read of the tools: every tool that an agent can have.
TOOL_LABELS: Mapping[str, StrOrPromise] = {
    "look_up_items": _("Look up menu items"),
    "change_order": _("Change the order"),
    USUAL_TOOL: _("Take the usual order"),
    DELIVERY_TOOL: _("Choose pickup or delivery"),
    "read_back_order": _("Read back the order"),
    "submit_order": _("Submit the order"),
    "look_up_services": _("Look up services"),
    "find_appointment_times": _("Find free appointment times"),
    "choose_appointment": _("Fill in the appointment"),
    "read_back_appointment": _("Read back the appointment"),
    "book_appointment": _("Book the appointment"),
    "find_my_appointments": _("Find the caller's appointments"),
    "move_appointment": _("Move an appointment"),
    "cancel_appointment": _("Cancel an appointment"),
    "send_text": _("Send a text message"),
    "transfer_call": _("Transfer to a person"),
    "end_call": _("End the call"),
    "get_opening_hours": _("Give opening hours"),
}


class Trade(models.TextChoices):
    """It chooses the tools, the prompt and the greeting that a new agent begins with."""

    RESTAURANT = "restaurant", "Restaurant: takes orders"
    GARAGE = "garage", "Garage: books appointments, answers questions on services and prices, transfers callers"
    OTHER = "other", "Other business: answers questions, transfers callers"

    @property
    def takes_orders(self) -> bool:
        return self is Trade.RESTAURANT

    @property
    def books_appointments(self) -> bool:
        return self is Trade.GARAGE

    @property
    def tools(self) -> tuple[str, ...]:
        """Those of a new agent."""
        if self.takes_orders:
            return TAKING_ORDERS
        return (*MAKING_APPOINTMENTS, *TALKING_TOOLS) if self.books_appointments else TALKING_TOOLS


@dataclass(frozen=True, slots=True)
class AgentDefaults:
    """What a new agent has before anybody changes it."""

    tools: tuple[str, ...]
    prompt: str
    greeting: str
    language: str


HOW_TO_ANSWER = """\
Keep every answer to one or two short sentences: the caller listens, nobody reads.
Never invent a price, a service or a promise. What you do not know, you say so."""

PROMPTS = {
    Trade.RESTAURANT: """\
You answer the phone of {name}, a restaurant that takes orders for pickup.
{how}
Take the order with change_order as soon as the caller names something. If a required choice is missing, ask for it.
If something is out, offer what the tool suggests. When the caller is done, read the order back with read_back_order,
wait for a yes, then use submit_order. Afterwards say the total and the order number, and use end_call.
Allergies, complaints and anything you cannot help with: offer to transfer the call.""",
    Trade.GARAGE: """\
You answer the phone of {name}, a garage that repairs and services cars.
{how}
Ask what is wrong with the car, or what should be done, and find the service with look_up_services. Say that the final
price depends on the car. Prices of parts and other things are found with look_up_items, the opening hours with
get_opening_hours. Make the appointment: offer free times with find_appointment_times, ask for the name and the car, and
book it. For a car that stands in the workshop, for breakdowns and for what you cannot do, offer to transfer the
call.""",
    Trade.OTHER: """\
You answer the phone of {name}.
{how}
Answer questions about what is offered with look_up_items, and about the opening hours with get_opening_hours.
For everything else offer to transfer the call.""",
}
# The first sentence that callers hear, by the agent's language: where orders are taken, and elsewhere.
GREETINGS = {
    "en": ("Hello, this is {name}. What would you like to order?", "Hello, this is {name}. How can I help you?"),
    "de": ("Hallo, hier ist {name}. Was möchten Sie bestellen?", "Hallo, hier ist {name}. Wie kann ich Ihnen helfen?"),
    "es": ("Hola, le atiende {name}. ¿Qué desea pedir?", "Hola, le atiende {name}. ¿En qué puedo ayudarle?"),
    "fr": ("Bonjour, ici {name}. Que souhaitez-vous commander ?", "Bonjour, ici {name}. Que puis-je faire pour vous ?"),
    "it": ("Buongiorno, qui {name}. Cosa desidera ordinare?", "Buongiorno, qui {name}. Come posso aiutarla?"),
}
LANGUAGES = {"DE": "de", "AT": "de", "CH": "de", "LI": "de", "ES": "es", "MX": "es", "AR": "es", "CO": "es",
             "CL": "es", "PE": "es", "UY": "es", "FR": "fr", "BE": "fr", "LU": "fr", "MC": "fr", "IT": "it", "SM": "it",
             "VA": "it"}  # fmt: skip


def agent_defaults(name: str, trade: Trade, *, language: str) -> AgentDefaults:
    """The agent of an organization of that name; a language without texts here gets the English greeting."""
    greeting = GREETINGS.get(language, GREETINGS["en"])[0 if trade.takes_orders else 1]
    return AgentDefaults(
        tools=trade.tools,
        prompt=PROMPTS[trade].format(name=name, how=HOW_TO_ANSWER),
        greeting=greeting.format(name=name),
        language=language,
    )


def language_of(country: str) -> str:
    """The language that most callers of a country speak, of those that have greetings here; else English."""
    return LANGUAGES.get(country, "en")

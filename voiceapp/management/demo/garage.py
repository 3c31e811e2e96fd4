"""Makes the demo garage once: services, staff and bays, advisors, a number and an agent of its own."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from agents.catalog.models import Service
from agents.configuration.models import Agent
from agents.configuration.services import publish_agent
from agents.organizations.models import Organization
from agents.organizations.trades import MAKING_APPOINTMENTS, Trade
from agents.resources.models import Resource, ResourceHours, ResourceKind
from agents.transfers.models import TransferMode, TransferTarget
from sessions.messages.texts.models import TextSettings
from telephony.twilio.models import PhoneNumber

from .organization import Demo, make_endpoint

SLUG = "bergmann-garage"
# Berlin numbers reserved for fiction: no real phone rings. The second line shows that either AI provider does the same.
NUMBER, SECOND_NUMBER = "+493023125002", "+493023125003"
TOOLS = [*MAKING_APPOINTMENTS, "send_text", "transfer_call", "end_call", "get_opening_hours"]

PROMPT = """\
You answer the phone of Bergmann Garage, a friendly garage that repairs and services cars.
Keep every answer to one or two short sentences: the caller listens, nobody reads.
Ask what should be done with the car, and make the appointment: offer free times, ask for the name and the car, read it
back, wait for a yes, and book it. Afterwards say day and time once more, wish a good day, and use end_call.
Say that the final price depends on the car. Never invent a price, a time or a promise.
Breakdowns, bills, a car that stands in the workshop, and what you cannot do: offer to transfer the call."""


@dataclass(frozen=True, slots=True)
class DemoService:
    name: str
    minutes: int
    price: str | None
    aliases: str
    description: str = ""
    needs_bay: bool = True
    buffer_after: int = 0
    lead_hours: int = 2


SERVICES = (
    DemoService("Oil change", 45, "89.90", "oil service, new oil", "With filter, for all makes", buffer_after=15),
    DemoService("Brake check", 30, "39.00", "brakes, check the brakes, brake service", "Discs, pads and fluid"),
    DemoService("Brake repair", 120, None, "new brakes, brake pads", "Price after the brake check", lead_hours=24),
    DemoService("Inspection", 90, "149.00", "service, yearly service, big service", "As the maker prescribes it"),
    DemoService("Tire change", 30, "49.00", "tires, winter tires, summer tires, change the tires"),
    DemoService("Air conditioning service", 60, "99.00", "air conditioning, air con, climate service"),
    DemoService("Battery check", 15, "0.00", "battery, check the battery", needs_bay=False),
)  # fmt: skip

DESK = ((dt.time(7, 30), dt.time(18)), (dt.time(9), dt.time(13)))
SHOP = ((dt.time(8), dt.time(17)), None)
# Name, kind, hours on weekdays and on Saturdays, the services it does (none: all).
RESOURCES = (
    ("Mia", ResourceKind.STAFF, DESK, ()),
    ("Tom", ResourceKind.STAFF, SHOP, ()),
    ("Yusuf", ResourceKind.STAFF, SHOP, ("Tire change", "Oil change", "Battery check")),
    ("Bay 1", ResourceKind.BAY, DESK, ()),
    ("Bay 2", ResourceKind.BAY, DESK, ()),
)
# Whom a caller can be transferred to, by department; the first one when the agent fails.
ADVISORS = (
    ("service-desk", "Service desk", "cars in the workshop, repairs and questions about the work", "+493023125020"),
    ("parts", "Parts", "parts and accessories", "+493023125021"),
    ("billing", "Billing", "bills, warranty and insurance", "+493023125022"),
)


@transaction.atomic
def make_garage(*, orders_url: str = "", orders_secret: str = "") -> Demo:
    """The demo garage, complete. It answers at any hour; its staff and bays have hours."""
    organization, is_new = Organization.objects.get_or_create(
        slug=SLUG,
        defaults={
            "name": "Bergmann Garage",
            "trade": Trade.GARAGE,
            "time_zone": "Europe/Berlin",
            "currency": "EUR",
            "tax_percent": Decimal(19),
            "prices_include_tax": True,
            "takes_orders": False,
            "closed_message": "Thank you for calling Bergmann Garage. We are closed at the moment.",
        },
    )
    make_endpoint(organization, "Workshop display", url=orders_url, secret=orders_secret)
    if not organization.services.exists():
        make_services(organization)
    if not organization.resources.exists():
        make_resources(organization)
    if not organization.transfer_targets.exists():
        make_advisors(organization)
    # Calls can be placed from American numbers, too, and often.
    TextSettings.objects.get_or_create(
        organization=organization, defaults={"countries": "DE, US", "most_per_number": 100}
    )
    agent = make_agent(organization, "Nora", Agent.Provider.VAPI, is_default=True)
    number, _ = PhoneNumber.objects.get_or_create(
        number=NUMBER, defaults={"organization": organization, "label": "Service desk"}
    )
    second_agent = make_agent(organization, "Nora (OpenAI)", Agent.Provider.OPENAI)
    PhoneNumber.objects.get_or_create(
        number=SECOND_NUMBER,
        defaults={"organization": organization, "label": "Service desk, second line", "agent": second_agent},
    )
    return Demo(organization, agent, number, is_new)


def make_services(organization: Organization) -> None:
    for position, service in enumerate(SERVICES):
        Service.objects.create(
            organization=organization,
            name=service.name,
            aliases=service.aliases,
            description=service.description,
            price=None if service.price is None else Decimal(service.price),
            duration_minutes=service.minutes,
            buffer_after_minutes=service.buffer_after,
            lead_time_minutes=service.lead_hours * 60,
            needs_bay=service.needs_bay,
            position=position,
        )


def make_resources(organization: Organization) -> None:
    for position, (name, kind, (weekdays, saturday), services) in enumerate(RESOURCES):
        resource = Resource.objects.create(organization=organization, name=name, kind=kind, position=position)
        resource.services.set(organization.services.filter(name__in=services))
        for weekday, hours in enumerate((*[weekdays] * 5, saturday)):
            if hours is not None:
                ResourceHours.objects.create(resource=resource, weekday=weekday, opens_at=hours[0], closes_at=hours[1])


def make_advisors(organization: Organization) -> None:
    for position, (slug, name, when_to_use, number) in enumerate(ADVISORS):
        TransferTarget.objects.create(
            organization=organization,
            slug=slug,
            name=name,
            when_to_use=when_to_use,
            number=number,
            is_fallback=position == 0,
            mode=TransferMode.WARM,
            position=position,
        )


def make_agent(organization: Organization, name: str, provider: Agent.Provider, *, is_default: bool = False) -> Agent:
    agent, _ = Agent.objects.get_or_create(
        organization=organization,
        name=name,
        defaults={
            "is_default": is_default,
            "provider": provider,
            "fails_over": True,
            "room_recording": Agent.RoomRecordedBy.AGENT,
            "prompt": PROMPT,
            "greeting": "Hello, this is Bergmann Garage. How can I help you?",
            "tools": TOOLS,
            "recording": Agent.RecordedBy.BRIDGE,
        },
    )
    if agent.published_version is None:
        publish_agent(agent, by="seed_demo", note="First version of the demo")
    return agent

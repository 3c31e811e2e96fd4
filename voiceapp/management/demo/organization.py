"""Makes the demo organization once; a second run keeps what people have changed since."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from agents.catalog.models import Category, Daypart, DaypartSpan, Item, Menu, Modifier, ModifierGroup, Size
from agents.configuration.models import Agent
from agents.configuration.services import publish_agent
from agents.delivery.models import DeliverySettings, DeliveryZone
from agents.organizations.models import Organization
from agents.transfers.models import TransferTarget
from sessions.messages.endpoints.events import CHOOSABLE
from sessions.messages.endpoints.models import WebhookEndpoint
from sessions.messages.texts.models import TextSettings
from telephony.twilio.models import PhoneNumber
from voiceapp.providers.webhook_signature import new_secret

from .menu_card import ALLERGENS, CATEGORIES, GROUPS, DemoItem

SLUG = "bella-napoli"
# Berlin numbers reserved for fiction: no real phone rings.
NUMBER = "+493023125001"
FRONT_DESK = "+493023125010"
CATERING = "+493023125011"
# Events that the demo's endpoints receive.
SENT = ("order.", "appointment.", "voicemail.")

PROMPT = """\
You answer the phone of Bella Napoli, a friendly Italian restaurant that takes orders for pickup and delivery.
Keep every answer to one or two short sentences: the caller listens, nobody reads.
Take the order with change_order as soon as the caller names something. Never invent items or prices.
If a required choice is missing, ask for it. If something is out, offer what the tool suggests.
When the caller is done, read the order back with read_back_order, wait for a yes, then use submit_order.
Afterwards say the total and the order number, wish a good day, and use end_call.
Allergies, complaints and anything you cannot help with: offer to transfer the call to the front desk."""


@dataclass(frozen=True, slots=True)
class Demo:
    """The rows that the rest of the demo needs."""

    organization: Organization
    agent: Agent
    number: PhoneNumber
    is_new: bool


@transaction.atomic
def make_demo(*, orders_url: str = "", orders_secret: str = "") -> Demo:
    """The demo organization, complete. Empty arguments leave the address and the secret as they are."""
    organization, is_new = Organization.objects.get_or_create(
        slug=SLUG,
        defaults={
            "name": "Bella Napoli",
            "time_zone": "Europe/Berlin",
            "currency": "EUR",
            "tax_percent": Decimal(7),
            "prices_include_tax": True,
            "largest_order_total": Decimal(400),
            "closed_message": "Thank you for calling Bella Napoli. We are closed at the moment.",
        },
    )
    make_endpoint(organization, "Kitchen display", url=orders_url, secret=orders_secret)
    if not organization.menus.exists():
        make_menu(organization)
    make_targets(organization)
    # The demo's caller has an American number.
    TextSettings.objects.get_or_create(
        organization=organization, defaults={"countries": "DE, US", "menu_url": "https://example.com/bella-napoli",
                                             "tells_ready": True, "tells_refused": True},
    )  # fmt: skip
    make_delivery(organization)
    agent = make_agent(organization)
    number, _ = PhoneNumber.objects.get_or_create(
        number=NUMBER, defaults={"organization": organization, "label": "Main line"}
    )
    return Demo(organization, agent, number, is_new)


def make_delivery(organization: Organization) -> None:
    """Near and far, for trying; deleted zones stay deleted."""
    delivery, is_new = DeliverySettings.objects.get_or_create(organization=organization, defaults={"postcode": "10115"})
    if not is_new:
        return
    DeliveryZone.objects.create(
        settings=delivery, name="Mitte", postcodes="10115, 10117, 10119, 10178", fee=Decimal("2.50"),
        minimum=Decimal(15), free_from=Decimal(40), minutes=20,
    )  # fmt: skip
    DeliveryZone.objects.create(
        settings=delivery, name="Around", postcodes="104*, 105*, 102*", radius_km=Decimal(6), fee=Decimal("4.50"),
        minimum=Decimal(25), minutes=35, position=1,
    )  # fmt: skip


def make_endpoint(organization: Organization, name: str, *, url: str, secret: str) -> None:
    """Where orders, appointments and voicemail are sent. Without a URL there is none, and one there is stays."""
    if not url:
        return
    endpoint = organization.webhook_endpoints.filter(name=name).first() or WebhookEndpoint(
        organization=organization, name=name, events=[event.value for event in CHOOSABLE if event.startswith(SENT)]
    )
    endpoint.url = url
    if secret or not endpoint.sealed_secret:
        endpoint.secret = secret or new_secret()
    endpoint.save()


def make_agent(organization: Organization) -> Agent:
    agent = organization.agents.filter(is_default=True).first() or Agent.objects.create(
        organization=organization,
        name="Sofia",
        is_default=True,
        room_recording=Agent.RoomRecordedBy.AGENT,
        prompt=PROMPT,
        greeting="Hello, this is Bella Napoli. What would you like to order?",
        recording=Agent.RecordedBy.BRIDGE,
    )
    if agent.published_version is None:
        publish_agent(agent, by="seed_demo", note="First version of the demo")
    return agent


def make_targets(organization: Organization) -> None:
    if organization.transfer_targets.exists():
        return
    TransferTarget.objects.create(
        organization=organization,
        slug="front-desk",
        name="Front desk",
        when_to_use="complaints, allergies and large orders",
        number=FRONT_DESK,
        is_fallback=True,
    )
    TransferTarget.objects.create(
        organization=organization,
        slug="catering",
        name="Catering",
        when_to_use="parties of more than ten people",
        number=CATERING,
        position=1,
    )


def make_menu(organization: Organization) -> Menu:
    """The whole card: groups first, because items and modifiers refer to them by name."""
    menu = Menu.objects.create(organization=organization, name="Main menu")
    # For trying: nothing is sold at some times only, so that the demo's calls go the same way at any hour.
    lunch = Daypart.objects.create(organization=organization, name="Lunch")
    DaypartSpan.objects.create(
        daypart=lunch, days=DaypartSpan.Days.WORKDAYS, begins_at=dt.time(11, 30), ends_at=dt.time(14, 30)
    )
    groups = make_groups(menu)
    for place, (heading, items) in enumerate(CATEGORIES):
        category = Category.objects.create(menu=menu, name=heading, position=place)
        for position, demo_item in enumerate(items):
            item = make_item(category, demo_item, position)
            item.modifier_groups.set(groups[name] for name in demo_item.groups)
    return menu


def make_groups(menu: Menu) -> dict[str, ModifierGroup]:
    groups: dict[str, ModifierGroup] = {}
    for place, demo_group in enumerate(GROUPS):
        group = ModifierGroup.objects.create(
            menu=menu,
            name=demo_group.name,
            minimum=demo_group.minimum,
            maximum=demo_group.maximum,
            position=place,
        )
        group.under.set(Modifier.objects.filter(group__menu=menu, name__in=demo_group.under))
        for position, choice in enumerate(demo_group.choices):
            Modifier.objects.create(
                group=group,
                name=choice.name,
                price=Decimal(choice.price),
                is_default=choice.is_default,
                aliases=choice.aliases,
                position=position,
                allergens=list(ALLERGENS.get(choice.name, ())),
            )
        groups[group.name] = group
    return groups


def make_item(category: Category, demo_item: DemoItem, position: int) -> Item:
    item = Item.objects.create(
        category=category,
        name=demo_item.name,
        spoken_name=demo_item.spoken_name,
        aliases=demo_item.aliases,
        description=demo_item.description,
        price=None if demo_item.price is None else Decimal(demo_item.price),
        is_out=demo_item.is_out,
        count_left=demo_item.count_left,
        allergens=list(ALLERGENS.get(demo_item.name, ())),
        position=position,
    )
    for place, size in enumerate(demo_item.sizes):
        Size.objects.create(
            item=item,
            name=size.name,
            price=Decimal(size.price),
            is_default=size.is_default,
            aliases=size.aliases,
            position=place,
        )
    return item

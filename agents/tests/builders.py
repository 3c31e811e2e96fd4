"""Builds organizations, agents and menus for tests. Alice owns, Bob is her colleague, Charlie is a stranger."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.auth.models import User

from agents.catalog.models import Category, Item, Menu, Modifier, ModifierGroup, Service, Size
from agents.configuration.models import Agent, AgentVersion
from agents.configuration.services import publish_agent
from agents.organizations.models import Membership, Organization
from agents.organizations.roles import Role
from agents.organizations.trades import Trade
from agents.resources.models import Resource, ResourceKind


def make_organization(name: str = "Trattoria Alice", **values: object) -> Organization:
    """An organization that is always open, with prices in euros and 10 % tax added."""
    slug = name.lower().replace(" ", "-")
    defaults: dict[str, object] = {"currency": "EUR", "tax_percent": Decimal(10), "time_zone": "Europe/Berlin"}
    return Organization.objects.create(name=name, slug=slug, **(defaults | values))


def make_user(name: str, organization: Organization | None = None, role: Role = Role.OWNER) -> User:
    """A staff user, a member of the organization if one is given."""
    user = User.objects.create_user(username=name, password="correct horse battery staple", is_staff=True)
    if organization is not None:
        Membership.objects.create(user=user, organization=organization, role=role)
    return user


def make_agent(organization: Organization, **values: object) -> Agent:
    """The organization's default agent, published once."""
    agent = Agent.objects.create(
        organization=organization, **({"name": "Giulia", "is_default": True, "prompt": "You are Giulia."} | values)
    )
    published_version(agent)
    return agent


def published_version(agent: Agent) -> AgentVersion:
    """The next version of the agent."""
    return publish_agent(agent, by="alice")


def make_menu(organization: Organization) -> Menu:
    """The menu of the contract: pizzas with sizes, crusts and extras, a deal with a nested dressing, a dessert."""
    menu = Menu.objects.create(organization=organization, name="Menu")
    pizzas = Category.objects.create(menu=menu, name="Pizzas", position=1)
    deals = Category.objects.create(menu=menu, name="Deals", position=2)
    desserts = Category.objects.create(menu=menu, name="Desserts", position=3)
    crust = ModifierGroup.objects.create(menu=menu, name="Crust", minimum=1, maximum=1, position=1)
    add_modifier(crust, "thin crust", is_default=True)
    add_modifier(crust, "deep dish", "2.00")
    extras = ModifierGroup.objects.create(menu=menu, name="Extras", minimum=0, maximum=3, position=2)
    add_modifier(extras, "extra cheese", "1.50", aliases="more cheese, double cheese")
    add_modifier(extras, "olives", "1.00")
    for position, (name, small, medium, large) in enumerate(
        [("Margherita", "7.50", "9.50", "12.00"), ("Funghi", "8.50", "10.50", "13.00")]
    ):
        pizza = add_item(pizzas, name, medium, position=position)
        Size.objects.create(item=pizza, name="small", price=Decimal(small), position=1)
        Size.objects.create(item=pizza, name="medium", price=Decimal(medium), is_default=True, position=2)
        Size.objects.create(item=pizza, name="large", price=Decimal(large), position=3)
        crust.items.add(pizza)
        extras.items.add(pizza)
    Item.objects.filter(name="Margherita").update(aliases="margarita, plain pizza")
    deal = add_item(deals, "Meal deal", "14.00")
    side = ModifierGroup.objects.create(menu=menu, name="Side", minimum=1, maximum=1, position=3)
    side.items.add(deal)
    add_modifier(side, "fries", is_default=True)
    salad = add_modifier(side, "side salad", "1.00")
    dressing = ModifierGroup.objects.create(menu=menu, name="Dressing", minimum=1, maximum=1, position=4)
    dressing.under.add(salad)
    add_modifier(dressing, "ranch", is_default=True)
    add_modifier(dressing, "vinaigrette")
    add_item(desserts, "Tiramisu", "5.00", position=1)
    add_item(desserts, "Panna cotta", "4.50", position=2)
    return menu


def add_item(category: Category, name: str, price: str, **values: object) -> Item:
    return Item.objects.create(category=category, name=name, price=Decimal(price), **values)


def add_modifier(group: ModifierGroup, name: str, price: str = "0", **values: object) -> Modifier:
    position = group.modifiers.count()
    return Modifier.objects.create(group=group, name=name, price=Decimal(price), position=position, **values)


def item_named(organization: Organization, name: str) -> Item:
    return Item.objects.get(category__menu__organization=organization, name=name)


def make_service(organization: Organization, name: str = "Oil change", **values: object) -> Service:
    """Half an hour by one person, booked until a minute before, every half hour."""
    defaults: dict[str, object] = {"duration_minutes": 30, "price": Decimal("89.90"), "lead_time_minutes": 0}
    return Service.objects.create(organization=organization, name=name, **(defaults | values))


def make_resource(organization: Organization, name: str = "Mia", **values: object) -> Resource:
    """A person who can do everything while the organization is open."""
    defaults: dict[str, object] = {"kind": ResourceKind.STAFF, "position": organization.resources.count()}
    return Resource.objects.create(organization=organization, name=name, **(defaults | values))


def make_services(organization: Organization) -> None:
    """A garage's: an oil change needs a person, an inspection a person and a bay. Mia and Tom, and one bay."""
    make_service(organization, aliases="oil service, new oil")
    make_service(organization, "Inspection", duration_minutes=60, price=Decimal(120), needs_bay=True, position=1)
    make_service(organization, "Brake repair", duration_minutes=120, price=None, needs_bay=True, position=2)
    for name in ("Mia", "Tom"):
        make_resource(organization, name)
    make_resource(organization, "Bay 1", kind=ResourceKind.BAY)


def make_garage_agent(organization: Organization) -> Agent:
    """The organization's agent, with the tools of its trade."""
    return make_agent(organization, name="Gina", prompt="You are Gina.", tools=list(Trade.GARAGE.tools))

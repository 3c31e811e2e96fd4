"""The steps of the setup: each reads and writes its part of an organization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from django import forms
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_stubs_ext import StrOrPromise

from agents.catalog.models import Category, Item, Menu
from agents.catalog.services import settle_price
from agents.configuration.models import Agent
from agents.hours.models import OpeningHours
from agents.organizations.models import Organization
from agents.organizations.trades import Trade
from agents.transfers.models import TransferTarget
from telephony.twilio.models import PhoneNumber

from .forms import AgentSetupForm, BusinessForm, HoursForm, MenuForm, NumberForm, PersonForm
from .services import ServicesForm, save_services, what_is_booked

Data = Any


@dataclass(frozen=True, slots=True)
class Step:
    """`make` builds the form, `save` writes it, `done` describes what exists already and is empty otherwise.

    `is_finer`: what exists has more detail than the form; it is shown, and changed on the organization's page.
    `is_for`: whether the organization has this step.
    """

    name: str
    title: StrOrPromise
    intro: StrOrPromise
    make: Callable[[Organization, Data], forms.BaseForm]
    save: Callable[[Organization, Any], None]
    done: Callable[[Organization], str]
    can_be_skipped: bool = False
    is_finer: Callable[[Organization], bool] = lambda _: False
    is_for: Callable[[Organization], bool] = lambda _: True


def free_slug(name: str) -> str:
    """A slug that no other organization has."""
    base = slugify(name)[:40] or "organization"
    taken = set(Organization.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{number}" for number in range(2, 10_000))) if slug not in taken)


def make_organization(form: BusinessForm) -> Organization:
    """The first step of a new organization; only restaurants take orders."""
    organization: Organization = form.save(commit=False)
    organization.slug = free_slug(organization.name)
    organization.takes_orders = Trade(organization.trade).takes_orders
    organization.save()
    return organization


def make_hours(organization: Organization, data: Data) -> forms.BaseForm:
    rows = list(organization.opening_hours.all())
    initial = (
        {"days": [str(row.weekday) for row in rows], "opens_at": f"{rows[0].opens_at:%H:%M}",
         "closes_at": f"{rows[0].closes_at:%H:%M}"} if rows else {}
    )  # fmt: skip
    return HoursForm(data, initial=initial)


def differ_by_day(organization: Organization) -> bool:
    """Whether the hours differ from day to day, or a day has several."""
    rows = list(organization.opening_hours.all())
    return len({(row.opens_at, row.closes_at) for row in rows}) > 1 or len({row.weekday for row in rows}) < len(rows)


@transaction.atomic
def save_hours(organization: Organization, form: Any) -> None:
    organization.opening_hours.all().delete()
    given = form.cleaned_data
    for day in () if given["is_always_open"] else given["days"]:
        OpeningHours.objects.create(
            organization=organization, weekday=int(day), opens_at=given["opens_at"], closes_at=given["closes_at"]
        )


@transaction.atomic
def save_menu(organization: Organization, form: Any) -> None:
    menu = organization.menus.filter(is_active=True).first() or Menu.objects.create(
        organization=organization, name="Menu"
    )
    heading = form.cleaned_data["heading"]
    category = menu.categories.filter(name=heading).first() or Category.objects.create(
        menu=menu, name=heading, position=menu.categories.count()
    )
    for name, price in form.cleaned_data["items"]:
        item, is_new = Item.objects.get_or_create(
            category=category, name=name, defaults={"price": price, "position": category.items.count()}
        )
        if not is_new:
            Item.objects.filter(pk=item.pk).update(price=price)
            item.price = price
            settle_price(item, was_typed=True)


def make_person(organization: Organization, data: Data) -> forms.BaseForm:
    return PersonForm(data, instance=TransferTarget(organization=organization), initial={"name": "Front desk"})


def save_person(organization: Organization, form: Any) -> None:
    target: TransferTarget = form.save(commit=False)
    base = slugify(target.name)[:40] or "person"
    taken = set(organization.transfer_targets.values_list("slug", flat=True))
    target.slug = next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, 1000))) if slug not in taken)
    target.is_fallback = not organization.transfer_targets.filter(is_fallback=True).exists()
    target.save()


def agent_of(organization: Organization) -> Agent | None:
    """The agent that the setup is about."""
    return organization.agents.order_by("-is_default", "pk").first()


def make_agent(organization: Organization, data: Data) -> forms.BaseForm:
    agent = agent_of(organization)
    if agent is not None:
        return AgentSetupForm(data, instance=agent)
    defaults = asdict(organization.agent_defaults())
    tools = list(defaults.pop("tools"))
    return AgentSetupForm(
        data,
        instance=Agent(organization=organization, tools=tools, is_default=True),
        initial={"name": "Receptionist", **defaults},
    )


def openings_text(organization: Organization) -> str:
    number = organization.opening_hours.count()
    text = ngettext("%(number)s opening per week", "%(number)s openings per week", number)
    return text % {"number": number} if number else ""


def items_text(organization: Organization) -> str:
    number = Item.objects.filter(category__menu__organization=organization).count()
    return ngettext("%(number)s item", "%(number)s items", number) % {"number": number} if number else ""


STEPS = (
    Step(
        "business",
        _("Your business"),
        _("The business that callers reach, and where it is."),
        lambda organization, data: BusinessForm(data, instance=organization),
        lambda _, form: form.save(),
        lambda organization: organization.name,
    ),
    Step(
        "hours",
        _("Opening hours"),
        _("Outside these hours callers hear when you open again."),
        make_hours,
        save_hours,
        openings_text,
        can_be_skipped=True,
        is_finer=differ_by_day,
    ),
    Step(
        "menu",
        _("Menu or services"),
        _("The agent knows only these items and prices."),
        lambda _, data: MenuForm(data),
        save_menu,
        items_text,
        can_be_skipped=True,
    ),
    Step(
        "services",
        _("Appointments"),
        _("The agent books these services while a person or a bay is free for them."),
        lambda _, data: ServicesForm(data),
        save_services,
        what_is_booked,
        can_be_skipped=True,
        is_for=lambda organization: Trade(organization.trade).books_appointments,
    ),
    Step(
        "person",
        _("Transfer target"),
        _("The person to whom the agent transfers callers it cannot help."),
        make_person,
        save_person,
        lambda organization: ", ".join(target.name for target in organization.transfer_targets.all()),
        can_be_skipped=True,
    ),
    Step(
        "number",
        _("Phone number"),
        _("The number that callers dial, as rented from the carrier."),
        lambda organization, data: NumberForm(data, instance=PhoneNumber(organization=organization)),
        lambda _, form: form.save(),
        lambda organization: ", ".join(map(str, organization.phone_numbers.all())),
        can_be_skipped=True,
    ),
    Step(
        "agent",
        _("Agent"),
        _("The agent that answers calls. Everything can be changed later on the agent's page."),
        make_agent,
        lambda _, form: form.save(),
        lambda organization: agent.name if (agent := agent_of(organization)) else "",
    ),
)


def steps_of(organization: Organization | None) -> list[Step]:
    """The steps of this organization; of one that is not there yet, those that all have."""
    blank = Organization(trade=Trade.OTHER)
    return [each for each in STEPS if each.is_for(organization or blank)]

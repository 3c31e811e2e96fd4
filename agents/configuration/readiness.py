"""What an agent needs before callers meet it: one list, shown on its page and in the setup, minded by publishing."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from django.db import models
from django.utils import timezone

from agents.catalog.models import Item, Menu
from agents.catalog.queries import load_catalog
from agents.hours.queries import load_schedule
from agents.organizations.trades import ORDER_TOOLS, Trade
from agents.transfers.models import TransferTarget
from voiceapp.core.countries import currency_of, zones_of

from .models import Agent


class Level(enum.StrEnum):
    """`useless`: callers would get nothing out of a call; publishing needs a person's word."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    USELESS = "useless"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list. `mend` is the row to open, or the kind of row to add; `field` is where to look in it."""

    name: str
    level: Level
    words: str
    mend: models.Model | type[models.Model]
    field: str = ""


MORE_CHECKS: list[Callable[[Agent], Check]] = []


def checks_of(agent: Agent) -> list[Check]:
    """The list for the agent's draft as it is saved. Layers above add theirs to `MORE_CHECKS`."""
    own = (_tools, _prompt, _menu, _hours, _transfer, _currency, _zone)
    return [check(agent) for check in (*own, *MORE_CHECKS)]


def objections(agent: Agent) -> tuple[str, ...]:
    """Why it would be useless to callers, in sentences; empty when nothing speaks against publishing it."""
    return tuple(check.words for check in checks_of(agent) if check.level is Level.USELESS)


def _tools(agent: Agent) -> Check:
    tools, organization = set(agent.tools), agent.organization
    missing = sorted(ORDER_TOOLS - tools)
    if not tools:
        words = "No tool is on: the agent can only talk, and help with nothing."
        return Check("Tools", Level.USELESS, words, agent, "tools")
    if organization.trade == Trade.RESTAURANT and organization.takes_orders and missing:
        words = f"It cannot take an order: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} off."
        return Check("Tools", Level.USELESS, words, agent, "tools")
    if "end_call" not in tools:
        return Check("Tools", Level.DOUBTFUL, "It cannot hang up: the tool “end_call” is off.", agent, "tools")
    return Check("Tools", Level.GOOD, f"{len(tools)} tools are on.", agent, "tools")


def _prompt(agent: Agent) -> Check:
    if agent.prompt.strip():
        return Check("Prompt", Level.GOOD, "It is written.", agent, "prompt")
    words = "The prompt is empty: the agent does not know what it is for."
    return Check("Prompt", Level.USELESS, words, agent, "prompt")


def _menu(agent: Agent) -> Check:
    of_organization = {"category__menu__organization": agent.organization_id}
    needs_items = bool(ORDER_TOOLS & set(agent.tools)) and agent.organization.takes_orders
    worst = Level.USELESS if needs_items else Level.DOUBTFUL
    items = load_catalog(agent.organization_id, timezone.now()).items
    menu = Menu.objects.filter(organization=agent.organization_id).order_by("-is_active", "pk").first() or Menu
    if not items:
        then = "callers cannot order anything" if needs_items else "the agent knows no prices"
        return Check("Menu", worst, f"No item with a price is on an active menu: {then}.", menu)
    if not any(item.is_available for item in items):
        return Check("Menu", worst, "Everything is out now.", menu)
    unpriced = Item.objects.filter(**of_organization, price__isnull=True, sizes__isnull=True).first()
    if unpriced is not None:
        return Check("Menu", Level.DOUBTFUL, f"{unpriced} has no price and is not sold.", unpriced, "price")
    number = f"{len(items)} items" if len(items) != 1 else "1 item"
    return Check("Menu", Level.GOOD, f"{number} can be bought.", menu)


def _hours(agent: Agent) -> Check:
    organization, field = agent.organization, "opening_hours-group"
    if not organization.opening_hours.exists():
        words = "No opening hours: calls are answered around the clock."
        return Check("Hours", Level.DOUBTFUL, words, organization, field)
    if load_schedule(organization).next_opening(timezone.now()) is None:
        return Check("Hours", Level.USELESS, "It does not open in the next weeks.", organization, field)
    return Check("Hours", Level.GOOD, "They are set.", organization, field)


def _transfer(agent: Agent) -> Check:
    target = TransferTarget.objects.filter(organization=agent.organization_id).first()
    if target is None:
        words = "There is no transfer target: callers who need a person can only leave a message."
        return Check("Transfer target", Level.DOUBTFUL, words, TransferTarget)
    if "transfer_call" not in agent.tools:
        words = f"The tool “transfer_call” is off: no caller is put through to {target.name}."
        return Check("Transfer target", Level.DOUBTFUL, words, agent, "tools")
    return Check("Transfer target", Level.GOOD, f"Callers can be put through to {target.name}.", target)


def _currency(agent: Agent) -> Check:
    organization = agent.organization
    usual = currency_of(organization.region)
    if usual and usual != organization.currency:
        words = f"Prices are in {organization.currency}, but people there pay in {usual}."
        return Check("Currency", Level.DOUBTFUL, words, organization, "currency")
    return Check("Currency", Level.GOOD, f"Prices are in {organization.currency}.", organization, "currency")


def _zone(agent: Agent) -> Check:
    organization = agent.organization
    if organization.time_zone == "UTC" or organization.time_zone.startswith("Etc/"):
        words = f"The time zone is {organization.time_zone}, which is that of no country."
        return Check("Time zone", Level.DOUBTFUL, words, organization, "time_zone")
    if organization.country and organization.time_zone not in zones_of(organization.country):
        words = f"{organization.time_zone} is not in the organization's country."
        return Check("Time zone", Level.DOUBTFUL, words, organization, "time_zone")
    return Check("Time zone", Level.GOOD, f"It is {organization.time_zone}.", organization, "time_zone")

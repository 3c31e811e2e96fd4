"""What an agent needs to serve callers: one checklist, shown on its page and in the setup, and used by publishing."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import models
from django.utils import timezone

from agents.catalog.lint.services import problems_of, summary_of
from agents.catalog.models import Item, Menu, Service
from agents.catalog.queries import load_catalog
from agents.hours.queries import load_schedule
from agents.organizations.trades import APPOINTMENT_TOOLS, ORDER_TOOLS, TOOL_LABELS, TOOLS_TO_BOOK, Trade
from agents.resources.models import Resource, ResourceKind
from agents.transfers.models import TransferTarget
from voiceapp.core.countries import currency_of, zones_of

from .models import Agent


class Level(enum.StrEnum):
    """`useless`: callers could not be served; publishing needs a confirmation."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    USELESS = "useless"


@dataclass(frozen=True, slots=True)
class Check:
    """One entry. `target` is the row to open, or the model to add a row of; `field` is the field on its page."""

    name: str
    level: Level
    text: str
    target: models.Model | type[models.Model]
    field: str = ""


IN_ROOMS = Agent.RoomRecordedBy
OTHERS_THAT_RECORD = (Agent.RecordedBy.TWILIO, Agent.RecordedBy.VAPI)
MORE_CHECKS: list[Callable[[Agent], Check]] = []


def checks_of(agent: Agent, *, only_blocking: bool = False) -> list[Check]:
    """The checklist of the agent's saved draft. Layers above add theirs to `MORE_CHECKS`.

    `only_blocking` leaves out the menu's linter, which never blocks, and which takes as long as all others together.
    """
    tools = set(agent.tools)
    books = bool(APPOINTMENT_TOOLS & tools)
    menu = (_menu, *(() if only_blocking else (_menu_findings,))) if not books or "look_up_items" in tools else ()
    own = (_tools, _prompt, *menu, *((_services,) if books else ()), _hours, _transfer, _currency, _zone)
    vapi = (_vapi,) if agent.provider == Agent.Provider.VAPI else ()
    recording = (_recording,) if agent.recording in OTHERS_THAT_RECORD else ()
    in_rooms = (_room_recording,) if settings.LIVEKIT_HOST and agent.room_recording == IN_ROOMS.EGRESS else ()
    return [check(agent) for check in (*own, *vapi, *recording, *in_rooms, *MORE_CHECKS)]


def blockers(agent: Agent) -> tuple[str, ...]:
    """Why callers could not be served, in sentences; empty when the agent can be published."""
    return tuple(check.text for check in checks_of(agent, only_blocking=True) if check.level is Level.USELESS)


def _tools(agent: Agent) -> Check:
    tools, organization = set(agent.tools), agent.organization
    missing = [f"“{TOOL_LABELS[name]}”" for name in sorted(ORDER_TOOLS - tools)]
    if not tools:
        text = "No tools are enabled: the agent can talk, but cannot help."
        return Check("Tools", Level.USELESS, text, agent, "tools")
    if organization.trade == Trade.RESTAURANT and organization.takes_orders and missing:
        text = f"The agent cannot take orders: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} disabled."
        return Check("Tools", Level.USELESS, text, agent, "tools")
    if "end_call" not in tools:
        return Check(
            "Tools", Level.DOUBTFUL, "The agent cannot end calls: the tool “End the call” is disabled.", agent, "tools"
        )
    return Check("Tools", Level.GOOD, f"{len(tools)} tools are enabled.", agent, "tools")


def _prompt(agent: Agent) -> Check:
    if agent.prompt.strip():
        return Check("Prompt", Level.GOOD, "The prompt is set.", agent, "prompt")
    text = "The prompt is empty: the agent has no instructions."
    return Check("Prompt", Level.USELESS, text, agent, "prompt")


def _vapi(agent: Agent) -> Check:
    name, field = "AI provider", "provider"
    if settings.VAPI_API_KEY:
        return Check(name, Level.GOOD, "Calls are answered by a VAPI assistant.", agent, field)
    if agent.fails_over:
        text = "VAPI_API_KEY is not set on the server: OpenAI takes every call."
        return Check(name, Level.DOUBTFUL, text, agent, field)
    return Check(name, Level.USELESS, "VAPI_API_KEY is not set on the server: VAPI takes no call.", agent, field)


def _recording(agent: Agent) -> Check:
    """Of an agent whose calls a provider records."""
    name, field, recorder = "Recording", "recording", Agent.RecordedBy(agent.recording).label
    is_vapi = agent.recording == Agent.RecordedBy.VAPI
    if is_vapi and Agent.Provider.VAPI not in (agent.provider, agent.fallback_provider):
        text = "VAPI records only calls that it plays, and it plays none of this agent's."
        return Check(name, Level.DOUBTFUL, text, agent, field)
    missing = _missing("VAPI_API_KEY") if is_vapi else _missing("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
    if missing:
        text = f"{missing} is not set on the server: {recorder} records no call."
        return Check(name, Level.DOUBTFUL, text, agent, field)
    return Check(name, Level.GOOD, f"{recorder} records the calls.", agent, field)


def _room_recording(agent: Agent) -> Check:
    """Of an agent whose calls in rooms LiveKit records. Whether it has a recorder, `manage.py doctor` finds out."""
    name, field = "Recording in rooms", "room_recording"
    if missing := _missing("LIVEKIT_RECORDING_BUCKET"):
        text = f"{missing} is not set on the server: LiveKit records no call in a room. The agent in the room could."
        return Check(name, Level.DOUBTFUL, text, agent, field)
    return Check(name, Level.GOOD, "LiveKit records calls in rooms.", agent, field)


def _missing(*names: str) -> str:
    """The first setting without a value; empty if all have one."""
    return next((name for name in names if not getattr(settings, name)), "")


def _menu(agent: Agent) -> Check:
    of_organization = {"category__menu__organization": agent.organization_id}
    needs_items = bool(ORDER_TOOLS & set(agent.tools)) and agent.organization.takes_orders
    worst = Level.USELESS if needs_items else Level.DOUBTFUL
    items = load_catalog(agent.organization_id, timezone.now()).items
    menu = Menu.objects.filter(organization=agent.organization_id).order_by("-is_active", "pk").first() or Menu
    if not items:
        then = "callers cannot order anything" if needs_items else "the agent knows no prices"
        return Check("Menu", worst, f"No active menu has an item with a price: {then}.", menu)
    if not any(item.is_available for item in items):
        return Check("Menu", worst, "All items are sold out.", menu)
    unpriced = Item.objects.filter(**of_organization, price__isnull=True, sizes__isnull=True).first()
    if unpriced is not None:
        return Check("Menu", Level.DOUBTFUL, f"{unpriced} has no price and is not sold.", unpriced, "price")
    number = f"{len(items)} items" if len(items) != 1 else "1 item"
    return Check("Menu", Level.GOOD, f"{number} can be ordered.", menu)


def _menu_findings(agent: Agent) -> Check:
    """The linter's findings; each is shown with its fix on the menu's page."""
    name, linted = "Menu check", problems_of(agent.organization)
    for menu, findings in linted:
        summary = summary_of(findings)
        if summary:
            text = f"{menu}: {summary}. {findings[0].text}"
            return Check(name, Level.DOUBTFUL, text, menu, "findings")
    target: Menu | type[Menu] = linted[0][0] if linted else Menu
    return Check(name, Level.GOOD, "Nothing was found that callers would stumble over.", target)


def _services(agent: Agent) -> Check:
    services = list(Service.objects.filter(organization=agent.organization_id, is_active=True))
    first = Service.objects.filter(organization=agent.organization_id).order_by("position", "pk").first() or Service
    missing = [f"“{TOOL_LABELS[name]}”" for name in TOOLS_TO_BOOK if name not in agent.tools]
    if missing:
        text = (
            f"The agent cannot book appointments: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} disabled."
        )
        return Check("Services", Level.DOUBTFUL, text, agent, "tools")
    if not services:
        return Check("Services", Level.DOUBTFUL, "No service is active: callers cannot book an appointment.", first)
    able = list(
        Resource.objects.filter(organization=agent.organization_id, is_active=True).prefetch_related("services")
    )
    for service in services:
        for kind, noun in ((ResourceKind.STAFF, "person"), (ResourceKind.BAY, "bay")):
            is_needed = service.needs_staff if kind == ResourceKind.STAFF else service.needs_bay
            if is_needed and not any(each.kind == kind and each.can_do(service) for each in able):
                text = f"No {noun} can do {service}: it cannot be booked."
                return Check("Services", Level.DOUBTFUL, text, able[0] if able else Resource)
    number = f"{len(services)} services" if len(services) != 1 else "1 service"
    return Check("Services", Level.GOOD, f"{number} can be booked.", first)


def _hours(agent: Agent) -> Check:
    organization, field = agent.organization, "opening_hours-group"
    if not organization.opening_hours.exists():
        text = "No opening hours are set: calls are answered around the clock."
        return Check("Opening hours", Level.DOUBTFUL, text, organization, field)
    if load_schedule(organization).next_opening(timezone.now()) is None:
        return Check("Opening hours", Level.USELESS, "There is no opening in the next weeks.", organization, field)
    return Check("Opening hours", Level.GOOD, "The opening hours are set.", organization, field)


def _transfer(agent: Agent) -> Check:
    target = TransferTarget.objects.filter(organization=agent.organization_id).first()
    if target is None:
        text = "There is no transfer target: callers who need a person can only leave a message."
        return Check("Transfer target", Level.DOUBTFUL, text, TransferTarget)
    if "transfer_call" not in agent.tools:
        text = f"The tool “Transfer to a person” is disabled: no caller is transferred to {target.name}."
        return Check("Transfer target", Level.DOUBTFUL, text, agent, "tools")
    return Check("Transfer target", Level.GOOD, f"Callers can be transferred to {target.name}.", target)


def _currency(agent: Agent) -> Check:
    organization = agent.organization
    usual = currency_of(organization.region)
    if usual and usual != organization.currency:
        text = f"Prices are in {organization.currency}, but the country's currency is {usual}."
        return Check("Currency", Level.DOUBTFUL, text, organization, "currency")
    return Check("Currency", Level.GOOD, f"Prices are in {organization.currency}.", organization, "currency")


def _zone(agent: Agent) -> Check:
    organization = agent.organization
    if organization.time_zone == "UTC" or organization.time_zone.startswith("Etc/"):
        text = f"The time zone is {organization.time_zone}, which belongs to no country."
        return Check("Time zone", Level.DOUBTFUL, text, organization, "time_zone")
    if organization.country and organization.time_zone not in zones_of(organization.country):
        text = f"{organization.time_zone} is not in the organization's country."
        return Check("Time zone", Level.DOUBTFUL, text, organization, "time_zone")
    return Check("Time zone", Level.GOOD, f"The time zone is {organization.time_zone}.", organization, "time_zone")

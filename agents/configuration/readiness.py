"""What an agent needs to serve callers: one checklist, shown on its page and in the setup, and used by publishing."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, ngettext

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
    """One entry. `target` is the row to open, or the model to add a row of; `field` is the field on its page.

    `warns`: publishing says it, and publishes all the same.
    """

    name: str
    level: Level
    text: str
    target: models.Model | type[models.Model]
    field: str = ""
    warns: bool = False


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


def warnings_of(agent: Agent) -> tuple[str, ...]:
    """What whoever publishes has to know, in sentences."""
    return tuple(check.text for check in checks_of(agent, only_blocking=True) if check.warns)


def _tools(agent: Agent) -> Check:
    tools, organization = set(agent.tools), agent.organization
    missing = [f"“{TOOL_LABELS[name]}”" for name in sorted(ORDER_TOOLS - tools)]
    if not tools:
        text = gettext("No tools are enabled: the agent can talk, but cannot help.")
        return Check(gettext("Tools"), Level.USELESS, text, agent, "tools")
    if organization.trade == Trade.RESTAURANT and organization.takes_orders and missing:
        text = ngettext(
            "The agent cannot take orders: %(tools)s is disabled.",
            "The agent cannot take orders: %(tools)s are disabled.",
            len(missing),
        ) % {"tools": ", ".join(missing)}
        return Check(gettext("Tools"), Level.USELESS, text, agent, "tools")
    if "end_call" not in tools:
        return Check(
            gettext("Tools"),
            Level.DOUBTFUL,
            gettext("The agent cannot end calls: the tool “End the call” is disabled."),
            agent,
            "tools",
        )
    return Check(
        gettext("Tools"), Level.GOOD, gettext("%(number)s tools are enabled.") % {"number": len(tools)}, agent, "tools"
    )


def _prompt(agent: Agent) -> Check:
    if agent.prompt.strip():
        return Check(gettext("Prompt"), Level.GOOD, gettext("The prompt is set."), agent, "prompt")
    text = gettext("The prompt is empty: the agent has no instructions.")
    return Check(gettext("Prompt"), Level.USELESS, text, agent, "prompt")


def _vapi(agent: Agent) -> Check:
    name, field = gettext("AI provider"), "provider"
    if settings.VAPI_API_KEY:
        return Check(name, Level.GOOD, gettext("Calls are answered by a VAPI assistant."), agent, field)
    if agent.fails_over:
        text = gettext("VAPI_API_KEY is not set on the server: OpenAI takes every call.")
        return Check(name, Level.DOUBTFUL, text, agent, field)
    return Check(
        name, Level.USELESS, gettext("VAPI_API_KEY is not set on the server: VAPI takes no call."), agent, field
    )


def _recording(agent: Agent) -> Check:
    """Of an agent whose calls a provider records."""
    name, field, recorder = gettext("Recording"), "recording", Agent.RecordedBy(agent.recording).label
    is_vapi = agent.recording == Agent.RecordedBy.VAPI
    if is_vapi and Agent.Provider.VAPI not in (agent.provider, agent.fallback_provider):
        text = gettext("VAPI records only calls that it plays, and it plays none of this agent's.")
        return Check(name, Level.DOUBTFUL, text, agent, field)
    missing = _missing("VAPI_API_KEY") if is_vapi else _missing("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
    if missing:
        text = gettext("%(missing)s is not set on the server: %(recorder)s records no call.") % {
            "missing": missing,
            "recorder": recorder,
        }
        return Check(name, Level.DOUBTFUL, text, agent, field)
    return Check(name, Level.GOOD, gettext("%(recorder)s records the calls.") % {"recorder": recorder}, agent, field)


def _room_recording(agent: Agent) -> Check:
    """Of an agent whose calls in rooms LiveKit records. Whether it has a recorder, `manage.py doctor` finds out."""
    name, field = gettext("Recording in rooms"), "room_recording"
    if missing := _missing("LIVEKIT_RECORDING_BUCKET"):
        text = gettext(
            "%(missing)s is not set on the server: LiveKit records no call in a room. The agent in the room could."
        ) % {"missing": missing}
        return Check(name, Level.DOUBTFUL, text, agent, field)
    return Check(name, Level.GOOD, gettext("LiveKit records calls in rooms."), agent, field)


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
        then = gettext("callers cannot order anything") if needs_items else gettext("the agent knows no prices")
        return Check(
            gettext("Menu"), worst, gettext("No active menu has an item with a price: %(then)s.") % {"then": then}, menu
        )
    if not any(item.is_available for item in items):
        return Check(gettext("Menu"), worst, gettext("All items are sold out."), menu)
    unpriced = Item.objects.filter(**of_organization, price__isnull=True, sizes__isnull=True).first()
    if unpriced is not None:
        return Check(
            gettext("Menu"),
            Level.DOUBTFUL,
            gettext("%(unpriced)s has no price and is not sold.") % {"unpriced": unpriced},
            unpriced,
            "price",
        )
    number = gettext("%(number)s items") % {"number": len(items)} if len(items) != 1 else "1 item"
    return Check(gettext("Menu"), Level.GOOD, gettext("%(number)s can be ordered.") % {"number": number}, menu)


def _menu_findings(agent: Agent) -> Check:
    """The linter's findings; each is shown with its fix on the menu's page."""
    name, linted = gettext("Menu check"), problems_of(agent.organization)
    for menu, findings in linted:
        summary = summary_of(findings)
        if summary:
            text = f"{menu}: {summary}. {findings[0].text}"
            return Check(name, Level.DOUBTFUL, text, menu, "findings")
    target: Menu | type[Menu] = linted[0][0] if linted else Menu
    return Check(name, Level.GOOD, gettext("Nothing was found that callers would stumble over."), target)


def _services(agent: Agent) -> Check:
    services = list(Service.objects.filter(organization=agent.organization_id, is_active=True))
    first = Service.objects.filter(organization=agent.organization_id).order_by("position", "pk").first() or Service
    missing = [f"“{TOOL_LABELS[name]}”" for name in TOOLS_TO_BOOK if name not in agent.tools]
    if missing:
        text = ngettext(
            "The agent cannot book appointments: %(tools)s is disabled.",
            "The agent cannot book appointments: %(tools)s are disabled.",
            len(missing),
        ) % {"tools": ", ".join(missing)}
        return Check(gettext("Services"), Level.DOUBTFUL, text, agent, "tools")
    if not services:
        return Check(
            gettext("Services"),
            Level.DOUBTFUL,
            gettext("No service is active: callers cannot book an appointment."),
            first,
        )
    able = list(
        Resource.objects.filter(organization=agent.organization_id, is_active=True).prefetch_related("services")
    )
    for service in services:
        for kind, noun in ((ResourceKind.STAFF, "person"), (ResourceKind.BAY, "bay")):
            is_needed = service.needs_staff if kind == ResourceKind.STAFF else service.needs_bay
            if is_needed and not any(each.kind == kind and each.can_do(service) for each in able):
                text = gettext("No %(noun)s can do %(service)s: it cannot be booked.") % {
                    "noun": noun,
                    "service": service,
                }
                return Check(gettext("Services"), Level.DOUBTFUL, text, able[0] if able else Resource)
    number = gettext("%(number)s services") % {"number": len(services)} if len(services) != 1 else "1 service"
    return Check(gettext("Services"), Level.GOOD, gettext("%(number)s can be booked.") % {"number": number}, first)


def _hours(agent: Agent) -> Check:
    organization, field = agent.organization, "opening_hours-group"
    if not organization.opening_hours.exists():
        text = gettext("No opening hours are set: calls are answered around the clock.")
        return Check(gettext("Opening hours"), Level.DOUBTFUL, text, organization, field)
    if load_schedule(organization).next_opening(timezone.now()) is None:
        return Check(
            gettext("Opening hours"),
            Level.USELESS,
            gettext("There is no opening in the next weeks."),
            organization,
            field,
        )
    return Check(gettext("Opening hours"), Level.GOOD, gettext("The opening hours are set."), organization, field)


def _transfer(agent: Agent) -> Check:
    target = TransferTarget.objects.filter(organization=agent.organization_id).first()
    if target is None:
        text = gettext("There is no transfer target: callers who need a person can only leave a message.")
        return Check(gettext("Transfer target"), Level.DOUBTFUL, text, TransferTarget)
    if "transfer_call" not in agent.tools:
        text = gettext("The tool “Transfer to a person” is disabled: no caller is transferred to %(target)s.") % {
            "target": target.name
        }
        return Check(gettext("Transfer target"), Level.DOUBTFUL, text, agent, "tools")
    return Check(
        gettext("Transfer target"),
        Level.GOOD,
        gettext("Callers can be transferred to %(target)s.") % {"target": target.name},
        target,
    )


def _currency(agent: Agent) -> Check:
    organization = agent.organization
    usual = currency_of(organization.region)
    if usual and usual != organization.currency:
        text = gettext("Prices are in %(currency)s, but the country's currency is %(usual)s.") % {
            "currency": organization.currency,
            "usual": usual,
        }
        return Check(gettext("Currency"), Level.DOUBTFUL, text, organization, "currency")
    return Check(
        gettext("Currency"),
        Level.GOOD,
        gettext("Prices are in %(currency)s.") % {"currency": organization.currency},
        organization,
        "currency",
    )


def _zone(agent: Agent) -> Check:
    organization = agent.organization
    if organization.time_zone == "UTC" or organization.time_zone.startswith("Etc/"):
        text = gettext("The time zone is %(time_zone)s, which belongs to no country.") % {
            "time_zone": organization.time_zone
        }
        return Check(gettext("Time zone"), Level.DOUBTFUL, text, organization, "time_zone")
    if organization.country and organization.time_zone not in zones_of(organization.country):
        text = gettext("%(time_zone)s is not in the organization's country.") % {"time_zone": organization.time_zone}
        return Check(gettext("Time zone"), Level.DOUBTFUL, text, organization, "time_zone")
    return Check(
        gettext("Time zone"),
        Level.GOOD,
        gettext("The time zone is %(time_zone)s.") % {"time_zone": organization.time_zone},
        organization,
        "time_zone",
    )

"""Builds calls for tests, and speaks to their tools as the bridge does."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone

from agents.configuration.models import Agent
from agents.hours.models import OpeningHours
from agents.organizations.models import Organization
from agents.organizations.trades import Trade
from agents.tests.builders import make_agent, make_garage_agent, make_menu, make_organization, make_services
from sessions.calls.models import Call, CallKind, CallState, CallType
from sessions.calls.outcomes import ToolResult
from sessions.messages.endpoints.events import CHOOSABLE
from sessions.messages.endpoints.models import WebhookEndpoint
from sessions.tools.services import run_tool
from voiceapp.providers.webhook_signature import new_secret

# As the documentation names one.
ROOM = "support-user123-1640995200"

_ids = itertools.count(1)


def make_call(agent: Agent, **values: object) -> Call:
    """A connected phone call that the agent's published version answers."""
    defaults: dict[str, object] = {
        "organization": agent.organization,
        "agent": agent,
        "agent_version": agent.published_version,
        "state": CallState.CONNECTED,
        "carrier_sid": f"CA{next(_ids):032x}",
        "caller_number": "+4915112345678",
    }
    return Call.objects.create(**(defaults | values))


def make_room_call(organization: Organization | None, **values: object) -> Call:
    """Alice's connected support call in a room that LiveKit does not know."""
    defaults: dict[str, object] = {
        "organization": organization,
        "owner": "user_alice",
        "kind": CallKind.ROOM,
        "room_name": ROOM,
        "call_type": CallType.SUPPORT,
        "state": CallState.CONNECTED,
        "connected_at": timezone.now(),
    }
    return Call.objects.create(**(defaults | values))


KITCHEN_URL = "https://kitchen.example/orders"


def make_endpoint(
    organization: Organization, url: str = KITCHEN_URL, *, events: tuple[str, ...] = ("order.", "appointment.")
) -> WebhookEndpoint:
    """An endpoint for the events that begin so. Its name need not resolve: nothing is posted in tests that do not."""
    endpoint = WebhookEndpoint(
        organization=organization,
        name="Kitchen",
        url=url,
        events=[each.value for each in CHOOSABLE if each.startswith(events)],
    )
    endpoint.secret = new_secret()
    endpoint.save()
    return endpoint


def make_restaurant(
    name: str = "Trattoria Alice", *, orders_url: str = KITCHEN_URL, **values: object
) -> tuple[Organization, Call]:
    """An organization with a menu, an agent and an endpoint for its orders, and a call to it."""
    organization = make_organization(name, **values)
    if orders_url:
        make_endpoint(organization, orders_url)
    make_menu(organization)
    return organization, make_call(make_agent(organization))


def make_garage(
    name: str = "Alice Garage", *, orders_url: str = KITCHEN_URL, **values: object
) -> tuple[Organization, Call]:
    """A garage in Berlin, open on weekdays from 8 to 17, with an endpoint for its appointments, and a call to it."""
    organization = make_organization(name, trade=Trade.GARAGE, takes_orders=False, **values)
    if orders_url:
        make_endpoint(organization, orders_url)
    for weekday in range(5):
        OpeningHours.objects.create(
            organization=organization, weekday=weekday, opens_at=dt.time(8), closes_at=dt.time(17)
        )
    make_services(organization)
    return organization, make_call(make_garage_agent(organization))


@dataclass
class Phone:
    """A caller on a call: `turns` counts what they have said."""

    call_id: UUID
    turns: int = 1
    results: list[ToolResult] = field(default_factory=list)

    def use(self, name: str, tool_call_id: str = "", **arguments: object) -> dict[str, Any]:
        """The tool's output."""
        result = run_tool(
            self.call_id,
            name=name,
            arguments=json.dumps(arguments),
            tool_call_id=tool_call_id or f"call_{next(_ids)}",
            caller_turns=self.turns,
        )
        self.results.append(result)
        output: dict[str, Any] = json.loads(result.output)
        return output

    def add(self, item: str, **more: object) -> dict[str, Any]:
        return self.use("change_order", changes=[{"do": "add", "item": item, **more}])

    def speaks(self) -> None:
        self.turns += 1

    def agrees(self) -> dict[str, Any]:
        """Hears the order read back, says yes, and the model submits."""
        self.use("read_back_order")
        self.speaks()
        return self.use("submit_order")

"""Gives the demo organization calls on each day of 13 weeks, with turns, orders and costs, and counts their figures.

Usage, in the environment of the product: python scripts/bench/fill_days.py ORG CALLS

Prints the session of somebody who may see them, how many queries the page of analytics takes, and how long a day of
calls takes to count.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from decimal import Decimal
from random import Random
from time import perf_counter
from typing import Any
from uuid import uuid4

import django
from django.utils import timezone
from fill_calls import insert_like

PAGE, DAYS, TURNS = "/admin/analytics/", 91, 3
NUMBERS = ("+4930231250", "+4930231251")


def fill(org_id: str, calls: int) -> dict[str, Any]:
    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    from agents.organizations.models import Membership, Organization
    from sessions.analytics.models import DayFigures
    from sessions.analytics.services import rebuild

    organization = Organization.objects.get(pk=org_id)
    user = User.objects.create_user("bench-owner", is_staff=True)
    Membership.objects.create(user=user, organization=organization, role="owner")
    write_days(organization, calls)
    started = perf_counter()
    days = len(list(rebuild(organization)))
    day_ms = (perf_counter() - started) / days * 1000
    browser = Client(HTTP_HOST="127.0.0.1")
    browser.force_login(user)
    return {
        "session": browser.cookies["sessionid"].value,
        "queries": queries_of(browser),
        "rows": DayFigures.objects.count(),
        "day_ms": day_ms,
    }


def write_days(organization: Any, calls: int) -> None:
    from agents.configuration.models import AgentVersion
    from sessions.calls.models import Call, CallState, Turn
    from sessions.orders.models import Order

    chance, now = Random(1), timezone.now()
    version = AgentVersion.objects.filter(agent__organization=organization).first()
    step = timedelta(days=DAYS) / calls
    made = [(uuid4(), now - step * number - timedelta(minutes=1)) for number in range(calls)]
    answered = [each for number, each in enumerate(made) if number % 8]
    agent = version.agent if version else None
    call = Call(
        organization=organization,
        agent=agent,
        agent_version=version,
        state=CallState.MISSED,
    )
    insert_like(call, (
        {
            "id": call_id, "created_at": at, "dialed_number": NUMBERS[number % 3 % 2], "carrier_sid": f"CA{call_id}",
            **({"state": CallState.COMPLETED, "end_reason": "agent_hung_up" if number % 5 else "transferred",
                "connected_at": at, "ended_at": at + timedelta(seconds=30 + number % 200),
                "interruptions": number % 3, "cost_usd": Decimal("0.05")} if number % 8 else {}),
        }
        for number, (call_id, at) in enumerate(made)
    ))  # fmt: skip
    insert_like(Turn(), (
        {"call": call_id, "number": number, "response_ms": round(chance.lognormvariate(6.7, 0.4))}
        for call_id, _ in answered for number in range(TURNS)
    ))  # fmt: skip
    newest = Order.objects.filter(organization=organization).count()
    order = Order(organization=organization, currency="EUR", subtotal=10, tax=1, total=11, state="done")
    insert_like(order, (
        {"id": uuid4(), "call": call_id, "created_at": at + timedelta(seconds=20), "number": newest + number}
        for number, (call_id, at) in enumerate(answered[::3], 1)
    ))  # fmt: skip


def queries_of(browser: Any) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(PAGE)
    if answer.status_code != 200:
        raise SystemExit(f"{answer.status_code}: {answer.content[:500]!r}")
    return len(captured)


if __name__ == "__main__":
    print(json.dumps(fill(sys.argv[1], int(sys.argv[2]))))

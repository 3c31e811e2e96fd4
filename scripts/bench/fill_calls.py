"""Gives somebody of the demo organization many calls in rooms; prints their session and what a page of calls costs.

Usage, in the environment of the product: python scripts/bench/fill_calls.py ORG CALLS [LINES]

With LINES each call has so many transcript lines, and what a search and the filtered list cost is printed, too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import uuid4

import django
from django.utils import timezone
from fill_tool_calls import topics_of_call, write_tool_calls

PATH = "/api/voice/session"
LIST = "/admin/voice_sessions/call/"
ROOMS = "support-bench-"
# Of the days before now; a part of the calls brought an order; turns of each.
DAYS, ORDERED, TURNS = 90, 3, 4
# What a list is filtered by: few calls, many, and several at once.
FILTERS = {
    "agent": "agent={agent}",
    "version": "version=3",
    "number": "number=0176 0020000",
    "direction": "direction=outbound",
    "days": "period=7d",
    "state": "state=failed",
    "outcome": "outcome=order",
    "no_outcome": "outcome=nothing",
    "reason": "reason=stream_lost",
    "cost": "cost_from=0.40",
    "latency": "slowest_from=3.9&slowest_to=4",
    "interruptions": "interruptions_from=6",
    "several": "agent={agent}&state=completed&outcome=order&cost_from=0.1&slowest_from=2&period=30d",
}
# As in life, a few of them are to oneself, and some were recorded.
TO_ONESELF, RECORDED = 10, 5
DISHES = ("Funghi", "Margherita", "Napoli", "Salami", "Quattro Formaggi", "Hawaii", "Diavolo")
DRINKS = (
    "water",
    "lemonade",
    "red wine",
    "beer",
    "apple juice",
    "coffee",
    "tea",
    "cola",
    "white wine",
    "nothing",
    "rum",
)
RARE = 20_000
# Written as the product does. All others are copies of them.
WRITTEN_ONE_BY_ONE = 4_000
# The newest, whose copies the index takes one by one, as it takes what calls write.
INDEXED_ONE_BY_ONE = 2_000
LINES, INDEX = "voice_sessions_transcriptline", "transcript_words"
COPY = f"""
INSERT INTO {LINES} (call_id, item_id, speaker, text, words, spoken_at_ms, turn, is_cut)
SELECT pairs.copy, item_id, speaker, text, words, spoken_at_ms, turn, is_cut
FROM pairs JOIN {LINES} AS line ON line.call_id = pairs.original
WHERE number BETWEEN %s AND %s ORDER BY number, line.id
"""  # noqa: S608 - names of ours


def fill(org_id: str, calls: int, lines: int = 0) -> dict[str, Any]:
    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    from agents.organizations.models import Membership

    user = User.objects.create_user("bench-caller", is_staff=True)
    Membership.objects.create(user=user, organization_id=org_id, role="staff")
    write_calls(org_id, str(user.pk), calls)
    if lines:
        write_tool_calls(ROOMS)
    browser = Client(HTTP_HOST="127.0.0.1")
    browser.force_login(user)
    return {
        "session": browser.cookies["sessionid"].value,
        "first_queries": queries_of(browser, {}),
        "last_queries": queries_of(browser, {"offset": calls - 10}),
        "search_queries": search_queries(browser) if lines and write_lines(lines) else 0,
        "filters": (filters := filters_of_calls()),
        "list_queries": max(page_queries(browser, query) for query in filters.values()) if lines else 0,
    }


def write_calls(org_id: str, subject: str, calls: int) -> None:
    from recordings.models import Recording
    from sessions.calls.models import Call, CallKind, CallState, CallType, Turn

    now = timezone.now()
    call = Call(
        organization_id=org_id,
        owner=subject,
        kind=CallKind.ROOM,
        call_type=CallType.SUPPORT,
        state=CallState.COMPLETED,
        connected_at=now,
        ended_at=now + timedelta(minutes=10),
        metadata={"note": "x" * 500},
    )
    to_oneself = {"owner": "somebody", "callee": subject, "call_type": CallType.USER_TO_USER}
    ids, agents = [uuid4() for _ in range(calls)], agents_of(org_id)
    step = timedelta(days=DAYS) / calls
    insert_like(
        call,
        (
            {
                "id": call_id,
                "room_name": f"{ROOMS}{number}",
                "created_at": now - timedelta(days=DAYS) + step * number,
                **attributes_of(number, agents),
                **({} if number % TO_ONESELF else to_oneself),
            }
            for number, call_id in enumerate(ids)
        ),
    )
    recording = Recording(state=Recording.State.STORED, size_bytes=1)
    insert_like(recording, ({"call": call_id} for call_id in ids[::RECORDED]))

    write_orders(org_id, ids[::ORDERED])
    turn = Turn(detection_ms=500, model_ms=300, playout_ms=60)
    numbered = ((call_id, number) for call_id in ids for number in range(1, TURNS + 1))
    insert_like(turn, ({"call": call_id, "number": number, "response_ms": 860} for call_id, number in numbered))


def agents_of(org_id: str) -> list[Any]:
    """The published versions of three agents, each with some calls of its own."""
    from agents.configuration.models import Agent, AgentVersion

    agents = [Agent.objects.create(organization_id=org_id, name=f"Bench {number}", prompt="x") for number in range(3)]
    return [
        AgentVersion.objects.create(agent=agent, number=number, prompt="x" * 4000)
        for agent in agents
        for number in range(1, 5)
    ]


def attributes_of(number: int, versions: list[Any]) -> dict[str, Any]:
    """What lists are filtered by, each spread over the calls in its own way."""
    from sessions.calls.models import CallState, Direction

    version = versions[number % len(versions)]
    is_lost = number % 50 == 0
    return {
        "agent": version.agent_id,
        "agent_version": version.pk,
        "direction": Direction.OUTBOUND if number % 20 == 0 else Direction.INBOUND,
        "state": CallState.FAILED if is_lost else CallState.COMPLETED,
        "end_reason": "stream_lost" if is_lost else "caller_hung_up",
        "caller_number": f"+49176{number:07}",
        "dialed_number": "+493023125000",
        "interruptions": number % 7,
        "slowest_response_ms": 600 + number * 37 % 3400,
        "topics": topics_of_call(number),
        "cost_usd": Decimal(number % 45_000) / 100_000,
    }


def write_orders(org_id: str, call_ids: list[Any]) -> None:
    from sessions.orders.models import Order

    first = Order.objects.filter(organization_id=org_id).count() + 1_000_000
    order = Order(organization_id=org_id, currency="EUR", subtotal=Decimal(9), tax=Decimal(1), total=Decimal(10))
    insert_like(
        order,
        ({"id": uuid4(), "call": call_id, "number": first + at} for at, call_id in enumerate(call_ids)),
    )


def filters_of_calls() -> dict[str, str]:
    from agents.configuration.models import Agent
    from sessions.calls.topics import CallTopic

    agent = Agent.objects.filter(name__startswith="Bench").earliest("pk")
    filters = {**FILTERS, **{f"topic_{topic}": f"topic={topic}" for topic in CallTopic.values}}
    return {name: query.format(agent=agent.pk).replace(" ", "+") for name, query in filters.items()}


def page_queries(browser: Any, query: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(f"{LIST}?{query}")
    if answer.status_code != 200 or b"va-chip" not in answer.content:
        raise SystemExit(f"{answer.status_code}: {answer.content[:500]!r}")
    return len(captured)


def insert_like(row: Any, changes: Iterable[dict[str, Any]]) -> None:
    """Rows like this one but for these fields, without an object for each: seconds instead of minutes."""
    from django.db import connection, transaction

    fields = {field.name: field for field in row._meta.concrete_fields}
    values = {name: field.get_db_prep_save(field.pre_save(row, True), connection) for name, field in fields.items()}
    if row.pk is None:
        del values["id"]  # the database numbers them
    columns = ", ".join(fields[name].column for name in values)
    sql = f"INSERT INTO {row._meta.db_table} ({columns}) VALUES ({', '.join(['%s'] * len(values))})"  # noqa: S608
    prepared = (
        {**values, **{name: fields[name].get_db_prep_save(value, connection) for name, value in each.items()}}
        for each in changes
    )
    with transaction.atomic(), connection.cursor() as cursor:
        while batch := [tuple(each.values()) for each in islice(prepared, 1000)]:
            cursor.executemany(sql, batch)


def write_lines(per_call: int) -> int:
    """As many transcript lines for each call: `pizza` is in a third of them, a name in one of 20,000."""
    from django.db import connection, transaction

    from sessions.calls.models import Call, TranscriptLine

    calls = list(Call.objects.filter(room_name__startswith=ROOMS).only("organization_id", "owner"))
    first, rows = calls[:WRITTEN_ONE_BY_ONE], list[TranscriptLine]()
    for at, call in enumerate(first):
        for number in range(per_call):
            speaker, text = "caller" if number % 2 else "agent", said(at * per_call + number)
            rows.append(
                TranscriptLine(call=call, item_id=f"{number}", speaker=speaker, text=text, spoken_at_ms=number * 4000)
            )
    TranscriptLine.objects.bulk_create(rows, batch_size=1000)
    pairs = [(at, _id(call), _id(first[at % len(first)])) for at, call in enumerate(calls[len(first) :])]
    one_by_one = len(pairs) - INDEXED_ONE_BY_ONE
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL statement_timeout = 0")
        kind = "uuid" if connection.vendor == "postgresql" else "char(32)"
        cursor.execute(f"CREATE TEMPORARY TABLE pairs (number integer PRIMARY KEY, copy {kind}, original {kind})")
        cursor.executemany("INSERT INTO pairs VALUES (%s, %s, %s)", pairs)
        with index_made_at_once(cursor):
            cursor.execute(COPY, [0, one_by_one - 1])
        cursor.execute(COPY, [one_by_one, len(pairs)])
        cursor.execute("ANALYZE")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")  # as it does by itself in time
    return TranscriptLine.objects.count()


@contextmanager
def index_made_at_once(cursor: Any) -> Iterator[None]:
    """The index of the search is made for all that is written meanwhile together: many times faster."""
    from django.db import connection

    from sessions.calls.search.index import FTS

    if connection.vendor == "postgresql":
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [INDEX])
        made_by = [row[0] for row in cursor.fetchall()]
        cursor.execute(f"DROP INDEX {INDEX}")
    else:
        named = "FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s"
        cursor.execute(f"SELECT name, sql {named}", [f"{FTS}%"])
        triggers = dict(cursor.fetchall())
        made_by = [f"INSERT INTO {FTS}({FTS}) VALUES ('rebuild')", *triggers.values()]  # noqa: S608
        for name in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
    yield
    if connection.vendor == "postgresql":
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no index is made while foreign keys are to be checked
    for statement in made_by:
        cursor.execute(statement)


def _id(call: Any) -> Any:
    """As the database keeps it."""
    from django.db import connection

    return call._meta.pk.get_db_prep_value(call.pk, connection)


def said(number: int) -> str:
    words = f"{DISHES[number % len(DISHES)]} and {DRINKS[number % len(DRINKS)]}, to street number {number % 997}"
    if number % RARE == 0:
        return f"My name is Jürgen Müller-Lüdenscheid, 0176 {number:07}."
    return f"I would like a large pizza {words}, please." if number % 3 == 0 else f"Yes, {words}, thank you very much."


def search_queries(browser: Any) -> int:
    return requested(browser, "/api/voice/search", {"q": "pizza"}, lambda body: len(body["results"]) == 20)


def queries_of(browser: Any, query: dict[str, int]) -> int:
    return requested(browser, PATH, query, lambda body: body["count"] == 10)


def requested(browser: Any, path: str, query: dict[str, Any], is_right: Callable[[Any], bool]) -> int:
    """How many queries the request takes: as real ones, with the principal read from the database, too."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(path, query)
    if answer.status_code != 200 or not is_right(answer.json()):
        raise SystemExit(f"{answer.status_code}: {answer.content[:500]!r}")
    return len(captured)


if __name__ == "__main__":
    print(json.dumps(fill(sys.argv[1], *map(int, sys.argv[2:]))))

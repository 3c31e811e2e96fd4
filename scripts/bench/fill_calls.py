"""Gives somebody of the demo organization many calls in rooms; prints their session and what a page of calls costs.

Usage, in the environment of the product: python scripts/bench/fill_calls.py ORG CALLS [LINES]

With LINES each call has so many transcript lines, and what a search costs is printed, too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django
from django.utils import timezone

PATH = "/api/voice/session"
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
WRITTEN_ONE_BY_ONE = 10_000
COPY = """
INSERT INTO voice_sessions_transcriptline (call_id, item_id, speaker, text, words, spoken_at_ms, turn, is_cut)
SELECT %s, item_id, speaker, text, words, spoken_at_ms, turn, is_cut
FROM voice_sessions_transcriptline WHERE call_id = %s
"""


def fill(org_id: str, calls: int, lines: int = 0) -> dict[str, Any]:
    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    from agents.organizations.models import Membership

    user = User.objects.create_user("bench-caller", is_staff=True)
    Membership.objects.create(user=user, organization_id=org_id, role="staff")
    write_calls(org_id, str(user.pk), calls)
    browser = Client(HTTP_HOST="127.0.0.1")
    browser.force_login(user)
    return {
        "session": browser.cookies["sessionid"].value,
        "first_queries": queries_of(browser, {}),
        "last_queries": queries_of(browser, {"offset": calls - 10}),
        "search_queries": search_queries(browser) if lines and write_lines(lines) else 0,
    }


def write_calls(org_id: str, subject: str, calls: int) -> None:
    from recordings.models import Recording
    from sessions.calls.models import Call, CallKind, CallState, CallType

    now = timezone.now()
    rows = [
        Call(
            organization_id=org_id,
            owner="somebody" if number % TO_ONESELF == 0 else subject,
            callee=subject if number % TO_ONESELF == 0 else "",
            kind=CallKind.ROOM,
            call_type=CallType.USER_TO_USER if number % TO_ONESELF == 0 else CallType.SUPPORT,
            room_name=f"support-bench-{number}",
            state=CallState.COMPLETED,
            connected_at=now,
            ended_at=now + timedelta(minutes=10),
            metadata={"note": "x" * 500},
        )
        for number in range(calls)
    ]
    Call.objects.bulk_create(rows, batch_size=1000)
    recordings = [Recording(call=row, state=Recording.State.STORED, size_bytes=1) for row in rows[::RECORDED]]
    Recording.objects.bulk_create(recordings, batch_size=1000)


def write_lines(per_call: int) -> int:
    """As many transcript lines for each call: `pizza` is in a third of them, a name in one of 20,000.

    Those of the first calls are written as the product does, and copied by the database for the others.
    """
    from django.db import connection, transaction

    from sessions.calls.models import Call, TranscriptLine

    calls = list(Call.objects.filter(room_name__startswith="support-bench-").only("organization_id", "owner"))
    first, rows = calls[:WRITTEN_ONE_BY_ONE], list[TranscriptLine]()
    for at, call in enumerate(first):
        for number in range(per_call):
            speaker, text = "caller" if number % 2 else "agent", said(at * per_call + number)
            rows.append(
                TranscriptLine(call=call, item_id=f"{number}", speaker=speaker, text=text, spoken_at_ms=number * 4000)
            )
    TranscriptLine.objects.bulk_create(rows, batch_size=1000)
    with transaction.atomic(), connection.cursor() as cursor:
        for copied in range(len(first), len(calls), len(first)):
            pairs = list(zip(first, calls[copied : copied + len(first)], strict=False))
            cursor.executemany(COPY, [(_id(other), _id(one)) for one, other in pairs])
        cursor.execute("ANALYZE")
    return TranscriptLine.objects.count()


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

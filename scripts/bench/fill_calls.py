"""Gives somebody of the demo organization many calls in rooms; prints their session and what a page of calls costs.

Usage, in the environment of the product: python scripts/bench/fill_calls.py ORG CALLS
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

import django
from django.utils import timezone

PATH = "/api/voice/session"
# As in life, a few of them are to oneself, and some were recorded.
TO_ONESELF, RECORDED = 10, 5


def fill(org_id: str, calls: int) -> dict[str, Any]:
    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    from agents.organizations.models import Membership

    user = User.objects.create_user("bench-caller")
    Membership.objects.create(user=user, organization_id=org_id, role="staff")
    write_calls(org_id, str(user.pk), calls)
    browser = Client(HTTP_HOST="127.0.0.1")
    browser.force_login(user)
    return {
        "session": browser.cookies["sessionid"].value,
        "first_queries": queries_of(browser, {}),
        "last_queries": queries_of(browser, {"offset": calls - 10}),
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


def queries_of(browser: Any, query: dict[str, int]) -> int:
    """As real requests are, with the principal read from the database, too."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(PATH, query)
    if answer.status_code != 200 or answer.json()["count"] != 10:
        raise SystemExit(f"{answer.status_code}: {answer.content[:500]!r}")
    return len(captured)


if __name__ == "__main__":
    print(json.dumps(fill(sys.argv[1], int(sys.argv[2]))))

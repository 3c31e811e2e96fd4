"""How many queries a call needs until it is answered: each costs CPU time while other calls ring."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions.calls.models import Call
from sessions.tools.briefing import brief
from telephony.twilio.models import PhoneNumber

from .conftest import Twilio, new_call_sid, verbs

pytestmark = pytest.mark.django_db


def statements(captured: CaptureQueriesContext) -> list[str]:
    """Without savepoints, which the test's own transaction makes of transactions, and locks by name."""
    queries = [query["sql"] for query in captured.captured_queries]
    return [sql for sql in queries if "SAVEPOINT" not in sql and "advisory" not in sql]


def test_a_ring(twilio: Twilio, line: PhoneNumber) -> None:
    with CaptureQueriesContext(connection) as captured:
        response = twilio.post(f"/twiml/start?orgId={line.organization_id}", CallSid=new_call_sid())

    assert verbs(response) == ["Connect"]
    assert len(statements(captured)) <= 11, statements(captured)


def test_a_briefing(line: PhoneNumber, twilio: Twilio) -> None:
    twilio.post("/twiml/start")
    call = Call.objects.select_related("organization", "agent", "agent_version").get()

    with CaptureQueriesContext(connection) as captured:
        brief(call)

    assert len(statements(captured)) <= 14, statements(captured)

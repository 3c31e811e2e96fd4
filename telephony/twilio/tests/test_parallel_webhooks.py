"""The same ring, several times at once; and several rings for the last free place."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from sessions.calls.models import Call
from telephony.twilio.models import FollowUp, MediaStream, PhoneNumber
from telephony.twilio.services.admission import open_call
from telephony.twilio.services.follow_ups import set_follow_up

from .conftest import Twilio, a_ring, new_call_sid, verbs

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], object]) -> list[object]:
    """The results of all, begun together, each in a thread with a connection of its own."""
    start = threading.Barrier(len(works))
    results: list[object] = []

    def run(work: Callable[[], object]) -> None:
        start.wait()
        try:
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == len(works)
    return results


def test_five_equal_webhooks_at_once_make_one_call_and_get_equal_twiml(line: PhoneNumber) -> None:
    answers = at_once(*[lambda: Twilio().post("/twiml/start").content] * 5)
    assert len(set(answers)) == 1
    assert b"<Connect" in answers[0]  # type: ignore[operator]
    assert (Call.objects.count(), MediaStream.objects.count()) == (1, 1)


def test_eight_callers_at_once_share_three_lines(line: PhoneNumber) -> None:
    line.organization.max_live_calls = 3
    line.organization.save()

    def ring(number: int) -> str:
        return verbs(Twilio().post("/twiml/start", CallSid=new_call_sid(), From=f"+49176000000{number:02}"))[0]

    answers = at_once(*[lambda n=n: ring(n) for n in range(8)])
    assert sorted(map(str, answers)) == ["Connect"] * 3 + ["Say"] * 5
    assert Call.objects.live().count() == 3


def test_a_caller_who_rings_two_organizations_at_once_has_two_calls_in_all(
    line: PhoneNumber, strangers_line: PhoneNumber
) -> None:
    def ring(number: int) -> str:
        dialed = (line, strangers_line)[number % 2].number
        return verbs(Twilio().post("/twiml/start", CallSid=new_call_sid(), To=dialed))[0]

    answers = at_once(*[lambda n=n: ring(n) for n in range(8)])
    assert sorted(map(str, answers)) == ["Connect"] * 2 + ["Say"] * 6


def test_one_call_that_names_two_organizations_at_once_is_of_one_of_them(
    line: PhoneNumber, strangers_line: PhoneNumber
) -> None:
    def ring(number: int) -> int:
        return Twilio().post("/twiml/start", To=(line, strangers_line)[number % 2].number).status_code

    answers = at_once(*[lambda n=n: ring(n) for n in range(6)])
    assert sorted(map(str, answers)) == ["200"] * 3 + ["403"] * 3
    assert Call.objects.count() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time, whatever the locks")
def test_a_call_that_is_being_opened_delays_no_other_organizations(
    line: PhoneNumber, strangers_line: PhoneNumber
) -> None:
    with transaction.atomic():
        open_call(a_ring())
        others = a_ring(call_sid=new_call_sid(), dialed=strangers_line.number, caller="+4917600000001")
        (call,) = at_once(lambda: open_call(others))
    assert isinstance(call, Call)
    assert call.is_live


def test_five_equal_after_requests_at_once_decide_once(line: PhoneNumber) -> None:
    call = open_call(a_ring())
    set_follow_up(MediaStream.objects.get(call=call).id, FollowUp.FALL_BACK)
    answers = at_once(*[lambda: Twilio().post("/twiml/after").content] * 5)
    assert len(set(answers)) == 1
    assert call.events.filter(kind="stream_over").count() == 1

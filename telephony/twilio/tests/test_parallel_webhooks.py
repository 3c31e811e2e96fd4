"""The same ring, several times at once; and several rings for the last free place."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

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


def test_five_equal_after_requests_at_once_decide_once(line: PhoneNumber) -> None:
    call = open_call(a_ring())
    set_follow_up(MediaStream.objects.get(call=call).id, FollowUp.FALL_BACK)
    answers = at_once(*[lambda: Twilio().post("/twiml/after").content] * 5)
    assert len(set(answers)) == 1
    assert call.events.filter(kind="stream_over").count() == 1

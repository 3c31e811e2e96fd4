"""What a page says through another server process is taken once, and does not outlive its call."""

from __future__ import annotations

import pytest

from agents.tests.builders import make_organization
from sessions.calls.models import Call, CallKind, CallState, PassedMessage
from sessions.calls.passed_messages import MOST_WAITING, Kind, pass_message, purge_passed_messages, take_messages

pytestmark = pytest.mark.django_db


def make_call(state: CallState = CallState.CONNECTED) -> Call:
    return Call.objects.create(
        organization=make_organization("Harbour"), kind=CallKind.BROWSER, state=state, process="web-1"
    )


def test_each_is_taken_once_in_order() -> None:
    call = make_call()
    assert pass_message(call.pk, Kind.SAY, "Two small funghi")
    assert pass_message(call.pk, Kind.INTERRUPT)
    assert take_messages(call.pk) == [(Kind.SAY, "Two small funghi"), (Kind.INTERRUPT, "")]
    assert take_messages(call.pk) == []


def test_a_page_that_says_too_much_is_not_heard() -> None:
    call = make_call()
    assert [pass_message(call.pk, Kind.INTERRUPT) for _ in range(MOST_WAITING + 1)] == [True] * MOST_WAITING + [False]


def test_what_was_not_taken_before_the_end_is_purged() -> None:
    call = make_call()
    pass_message(call.pk, Kind.SAY, "Hello?")
    assert purge_passed_messages() == 0
    Call.objects.filter(pk=call.pk).update(state=CallState.COMPLETED)
    assert take_messages(call.pk) is None
    assert purge_passed_messages() == 1
    assert not PassedMessage.objects.exists()

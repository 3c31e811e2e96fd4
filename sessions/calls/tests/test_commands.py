"""Commands to the process that carries a call: taken once, by whichever process that is."""

from __future__ import annotations

import pytest

from agents.tests.builders import make_agent, make_organization
from sessions.calls.commands import Kind, leave_command, leave_note, purge_commands, take_commands, waiting_commands
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.services import finish_call
from sessions.tests.builders import make_call

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    return make_call(make_agent(make_organization()), process="a-process")


def take_all() -> list[tuple[Kind, str]]:
    return [(each.kind, each.text) for each in take_commands([number for number, _ in waiting_commands()])]


def test_commands_are_taken_once_in_order(call: Call) -> None:
    assert call.agent is not None
    other = make_call(call.agent, process="another-process")
    assert leave_note(call.pk, "One.")
    assert leave_command(other.pk, Kind.HANG_UP)
    assert leave_command(call.pk, Kind.HINT, "Two.")
    ours = [number for number, call_id in waiting_commands() if call_id == call.pk]

    assert [(each.kind, each.text) for each in take_commands(ours)] == [(Kind.NOTE, "One."), (Kind.HINT, "Two.")]
    assert not take_commands(ours)
    assert take_all() == [(Kind.HANG_UP, "")]


def test_a_call_that_is_over_gets_none(call: Call) -> None:
    leave_note(call.pk, "Nobody took it.")
    finish_call(call.pk, reason=EndReason.CALLER_HUNG_UP)
    assert not leave_note(call.pk, "Too late.")
    assert not leave_command(call.pk, Kind.HANG_UP)
    assert purge_commands() == 1


def test_only_a_note_waits_for_a_call_that_nobody_carries(call: Call) -> None:
    Call.objects.update(process="")
    assert not leave_command(call.pk, Kind.HINT, "The agent is gone.")
    assert leave_note(call.pk, "x" * 1000)
    assert take_all() == [(Kind.NOTE, "x" * 300)]

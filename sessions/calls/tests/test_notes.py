"""Notes for the agents of live calls: taken once, by whichever process carries the call."""

from __future__ import annotations

import pytest

from agents.tests.builders import make_agent, make_organization
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.notes import leave_note, take_notes
from sessions.calls.services import finish_call
from sessions.tests.builders import make_call

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    return make_call(make_agent(make_organization()))


def test_notes_are_taken_once_in_order(call: Call) -> None:
    assert call.agent is not None
    other = make_call(call.agent)
    assert leave_note(call.pk, "One.")
    assert leave_note(other.pk, "Other.")
    assert leave_note(call.pk, "Two.")
    assert take_notes([call.pk]) == {call.pk: ["One.", "Two."]}
    assert take_notes([call.pk, other.pk]) == {other.pk: ["Other."]}
    assert take_notes([call.pk, other.pk]) == {}


def test_a_call_that_is_over_gets_no_notes(call: Call) -> None:
    finish_call(call.pk, reason=EndReason.CALLER_HUNG_UP)
    assert not leave_note(call.pk, "Too late.")


def test_a_note_fits_its_column(call: Call) -> None:
    leave_note(call.pk, "x" * 1000)
    assert take_notes([call.pk]) == {call.pk: ["x" * 300]}

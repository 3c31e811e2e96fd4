"""Each code that a call's timeline stores has words there."""

from __future__ import annotations

from agents.transfers.numbers import NotCalled
from sessions.calls.admin.event_text import NEXT_STEPS, NOT_CALLED, TRANSFER_OUTCOMES
from telephony.twilio.models import Step
from telephony.twilio.transfers.models import OPEN_ATTEMPTS, AttemptState

# These are not written as the outcome of an attempt.
WITHOUT_OUTCOME = {AttemptState.PLANNED, AttemptState.ACCEPTED, *OPEN_ATTEMPTS}


def test_every_next_step_has_words() -> None:
    assert set(NEXT_STEPS) == set(Step.values)


def test_every_outcome_of_an_attempt_has_words() -> None:
    assert set(TRANSFER_OUTCOMES) == set(AttemptState.values) - WITHOUT_OUTCOME


def test_every_reason_not_to_call_a_number_has_words() -> None:
    assert set(NotCalled) <= set(NOT_CALLED)

"""Faults are chosen by an address prefix or by words."""

from __future__ import annotations

import pytest

from voiceapp.simulators.twilio.faults import Faults


def test_a_prefix_names_faults_and_their_arguments() -> None:
    faults = Faults.from_path("fault/no_stop/fault/gaps=250/")
    assert "no_stop" in faults
    assert faults.number("gaps") == 250
    assert "abort" not in faults


def test_an_argument_has_a_default() -> None:
    assert Faults.from_words(["gaps"]).number("gaps") == 400


def test_a_bad_signature_can_be_chosen_for_one_kind_of_request() -> None:
    assert [Faults.from_words(["bad_signature=stream"]).spoils_signature_of(w) for w in ("stream", "webhook")] == [
        True,
        False,
    ]
    assert Faults.from_words(["bad_signature"]).spoils_signature_of("callbacks")


@pytest.mark.parametrize("word", ["nonsense", "gaps=long"])
def test_what_is_no_fault_is_refused(word: str) -> None:
    with pytest.raises(ValueError):
        Faults.from_words([word])

"""Faults by the prefix of a URL or by name."""

from __future__ import annotations

import pytest

from voiceapp.simulators.twilio.faults import TwilioFaults


def test_a_prefix_names_faults_and_their_arguments() -> None:
    faults = TwilioFaults.from_path("fault/no_stop/fault/gaps=250/")
    assert "no_stop" in faults
    assert faults.number("gaps") == 250
    assert "abort" not in faults


def test_an_argument_has_a_default() -> None:
    assert TwilioFaults.parse(["gaps"]).number("gaps") == 400


def test_a_bad_signature_for_one_kind_of_request() -> None:
    assert [TwilioFaults.parse(["bad_signature=stream"]).breaks_signature_of(w) for w in ("stream", "webhook")] == [
        True,
        False,
    ]
    assert TwilioFaults.parse(["bad_signature"]).breaks_signature_of("callbacks")


@pytest.mark.parametrize("word", ["nonsense", "gaps=long"])
def test_an_unknown_fault_is_rejected(word: str) -> None:
    with pytest.raises(ValueError):
        TwilioFaults.parse([word])

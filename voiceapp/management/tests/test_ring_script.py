"""Scripts of the simulated phone, and the comparison of the order with the expected one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.organizations.models import Organization
from telephony.twilio.models import PhoneNumber
from voiceapp.management.commands.ring import DEMO, number_to_call
from voiceapp.management.ringing.script import ExpectedLine, ScriptError, parse_script, read_script
from voiceapp.management.ringing.verdict import differences


def test_the_demo_script_is_played_with_a_modifier_an_interruption_and_a_correction() -> None:
    script = read_script(DEMO)
    assert any(isinstance(step, dict) and "interrupt_after_ms" in step for step in script.steps)
    assert script.expected is not None
    assert any(line.modifiers for line in script.expected)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "an object"),
        ({"steps": {}}, "a list"),
        ({"steps": [], "x": 1}, "not x"),
        ({"steps": [], "expect": []}, "expect"),
        ({"steps": [], "expect": {"order": [{"quantity": 1}]}}, "item"),
        ({"steps": [], "expect": {"order": [{"item": "a", "quantity": "2"}]}}, "whole"),
    ],
)
def test_a_wrong_script_is_refused_with_a_sentence(content: object, says: str) -> None:
    with pytest.raises(ScriptError, match=says):
        parse_script(content)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text("[" * 100_000)
    with pytest.raises(ScriptError, match="is not JSON"):
        read_script(path)
    with pytest.raises(ScriptError, match="cannot be read"):
        read_script(tmp_path / "absent.json")


def test_the_order_of_modifiers_and_lines_does_not_matter() -> None:
    script = parse_script(
        json.loads('{"steps": [], "expect": {"order": [{"item": "A", "modifiers": ["y", "x"]}, {"item": "B"}]}}')
    )
    assert script.expected is not None
    assert differences(script.expected, [ExpectedLine("B"), ExpectedLine("A", modifiers=("x", "y"))]) == []


def test_a_missing_and_a_foreign_line_are_both_named() -> None:
    said = [ExpectedLine("Margherita", 2, "large")]
    ordered = [ExpectedLine("Margherita", 1, "large", ("olives",))]
    assert differences(said, ordered) == [
        "missing: 2 × large Margherita",
        "unexpected: 1 × large Margherita with olives",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["+493023125001", "030 23125001", "+49 (30) 231 25001"])
def test_the_number_to_call_is_typed_in_any_notation(typed: str) -> None:
    organization = Organization.objects.create(name="Alices", slug="alices", time_zone="Europe/Berlin")
    line = PhoneNumber.objects.create(organization=organization, number="+493023125001")
    assert number_to_call(typed) == line

"""What was expected is compared line by line with what came of it, however it is written."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from sessions.tools.dry_run import Booked, Made
from telephony.scenarios.expectations import Expectation, Row, fits, same_line, why_not_a_time

THURSDAY = Booked("Oil change", dt.datetime(2026, 12, 3, 9, 0, tzinfo=dt.UTC), "Alice Miller", "Ford")
TWO_PIZZAS = "2 × large Margherita with extra cheese, thin crust"


@pytest.mark.parametrize(
    "written",
    [
        TWO_PIZZAS,
        "2 x Large  margherita with thin crust, extra cheese",
        "2 large Margherita with extra cheese,thin crust",
    ],
)
def test_a_line_is_the_same_in_every_notation(written: str) -> None:
    assert same_line(written, TWO_PIZZAS)


@pytest.mark.parametrize(
    "other",
    ["3 × large Margherita with extra cheese, thin crust", "2 × large Margherita", "2 × small Margherita with extra "
     "cheese, thin crust", "", "× ×", "99999999999 × Margherita"],
)  # fmt: skip
def test_another_line_is_not(other: str) -> None:
    assert not same_line(other, TWO_PIZZAS)


def test_one_of_something_needs_no_number() -> None:
    assert same_line("Tiramisu", "1 × Tiramisu")


@pytest.mark.parametrize(
    ("rule", "is_true"),
    [
        ("Oil change", True),
        ("oil change on thursday", True),
        ("Oil change at 9:00", True),
        ("Oil change on Thursday at 09:00 for Alice Miller", True),
        ("Oil change on Friday at 09:00", False),
        ("Oil change at 10:00", False),
        ("Inspection on Thursday at 09:00", False),
        ("Oil change for Bob", False),
        ("", False),
    ],
)
def test_an_appointment_has_to_fit_what_is_named(rule: str, is_true: bool) -> None:
    assert fits(rule, THURSDAY) is is_true


def test_times_that_are_none_are_found() -> None:
    assert why_not_a_time("Oil change at 25:00") == "25:00"
    assert why_not_a_time("Oil change at 09:00") == ""


def test_the_most_alike_lines_stand_beside_each_other() -> None:
    made = Made(("3 × large Margherita with thin crust", "1 × Tiramisu", "1 × Cola"), Decimal("40.00"), "EUR")
    rows = Expectation((TWO_PIZZAS, "1 × Tiramisu"), Decimal("29.70")).compare(made)
    assert rows == [
        Row(TWO_PIZZAS, "3 × large Margherita with thin crust", False),
        Row("1 × Tiramisu", "1 × Tiramisu", True),
        Row("", "1 × Cola", False),
        Row("Total 29.70", "Total 40.00", False),
    ]


def test_nothing_expected_is_met_by_nothing_made() -> None:
    assert Expectation().compare(Made()) == [Row("", "", True)]
    assert [row.is_same for row in Expectation().compare(Made(appointments=(THURSDAY,)))] == [False]

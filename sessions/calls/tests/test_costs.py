"""What a call costs: by the price of the day, and unknown rather than wrong."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from sessions.calls import costs
from sessions.calls.costs import Price, add_usage, cost_of, cost_parts, set_cost

TODAY = date(2026, 11, 21)


def test_an_unknown_model_makes_the_cost_unknown() -> None:
    totals = add_usage({}, source="response", model="gpt-of-tomorrow", usage={"input_tokens": 5, "output_tokens": 1})

    assert cost_of(totals, TODAY) is None


def test_a_kind_without_a_price_makes_the_cost_unknown() -> None:
    totals = add_usage({}, source="transcription", model="gpt-transcribe", usage={"input_tokens": 100})

    assert cost_of(totals, TODAY) is None


def test_nothing_used_costs_nothing() -> None:
    assert cost_of({}, TODAY) == 0


def test_a_price_counts_from_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Price(date(2026, 1, 1), text_in=Decimal(4)), Price(date(2026, 6, 1), text_in=Decimal(2))
    monkeypatch.setattr(costs, "PRICES", {"m": (second, first)})
    totals = {"response m": {"text_in": 1_000_000}}

    assert cost_of(totals, date(2025, 12, 31)) is None
    assert cost_of(totals, date(2026, 5, 31)) == 4
    assert cost_of(totals, date(2026, 6, 1)) == 2


def test_reports_of_the_same_model_add_up() -> None:
    usage = {"input_token_details": {"text_tokens": 10}, "output_token_details": {"audio_tokens": 3}}

    totals = add_usage({}, source="response", model="m", usage=usage)
    totals = add_usage(totals, source="response", model="m", usage=usage)

    assert totals == {"response m": {"text_in": 20, "audio_out": 6}}


@pytest.mark.parametrize(
    "usage",
    [{}, {"input_token_details": None}, {"input_token_details": {"text_tokens": "many"}}, {"input_tokens": -5}],
)
def test_nonsense_counts_as_nothing(usage: dict[str, object]) -> None:
    assert add_usage({}, source="response", model="m", usage=usage) == {"response m": {}}


def test_the_parts_are_what_makes_the_cost() -> None:
    used = {
        "response gpt-realtime-2.1": {"audio_in": 1000, "audio_out": 500, "text_cached": 0},
        "transcription gpt-transcribe": {"second": 60},
    }
    totals = set_cost(used, source="vapi 7420f27a", usd=0.07)
    parts = list(cost_parts(totals, TODAY))
    assert [(part.source, part.kind) for part in parts] == [
        ("response gpt-realtime-2.1", "audio_in"),
        ("response gpt-realtime-2.1", "audio_out"),
        ("transcription gpt-transcribe", "second"),
        ("vapi 7420f27a", "usd"),
    ]
    assert sum(part.usd or 0 for part in parts) == cost_of(totals, TODAY)
    (unknown,) = cost_parts({"response gpt-of-tomorrow": {"text_in": 5}}, TODAY)
    assert (unknown.kind, unknown.usd) == ("text_in", None)

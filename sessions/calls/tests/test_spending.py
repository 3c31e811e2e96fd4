"""What a call may cost at most, and when only its farewell is still affordable."""

from __future__ import annotations

from datetime import date

from sessions.calls.costs import add_usage, cost_of, spending_limit
from sessions.calls.spending import MOST_OUTPUT_TOKENS, Spending, SpendingLimit

TODAY = date(2026, 11, 21)
MODEL, TRANSCRIPTION = "gpt-realtime-2.1", "gpt-transcribe"


def limit(minutes: int = 5, model: str = MODEL) -> SpendingLimit:
    found = spending_limit(model, transcription_model=TRANSCRIPTION, minutes=minutes, on=TODAY)
    assert found is not None
    return found


def usage(*, audio_in: int = 0, cached: int = 0, audio_out: int = 0, text_in: int = 0) -> dict[str, object]:
    details = {
        "text_tokens": text_in,
        "audio_tokens": audio_in + cached,
        "cached_tokens_details": {"audio_tokens": cached},
    }
    return {"input_token_details": details, "output_token_details": {"audio_tokens": audio_out}}


def test_a_longer_call_may_cost_more_and_a_smaller_model_less() -> None:
    assert 1 < limit(5).most_usd < limit(6).most_usd < limit(30).most_usd
    assert limit(5, "gpt-realtime-2.1-mini").most_usd < limit(5).most_usd / 2


def test_without_a_known_price_there_is_no_limit_to_reserve() -> None:
    for model, transcription in (
        ("gpt-of-tomorrow", TRANSCRIPTION),
        (MODEL, "whisper-of-tomorrow"),
        (TRANSCRIPTION, TRANSCRIPTION),
    ):
        assert spending_limit(model, transcription_model=transcription, minutes=5, on=TODAY) is None
    assert spending_limit(MODEL, transcription_model=TRANSCRIPTION, minutes=5, on=date(2020, 1, 1)) is None


def test_it_counts_as_the_price_table_does() -> None:
    reported = usage(audio_in=1000, cached=500, audio_out=800, text_in=3000)
    totals = add_usage({}, source="response", model=MODEL, usage=reported)
    counted = totals[f"response {MODEL}"]
    assert isinstance(counted, dict)
    assert abs(limit().cost_of(MODEL, counted) - float(cost_of(totals, TODAY) or 0)) < 1e-6


def test_no_conversation_costs_more_than_its_limit() -> None:
    """The longest possible responses, nothing cached, until it ends; then one response and the farewell."""
    most = limit(5)
    spending, spent, heard = Spending(most), 0.0, 0
    for _ in range(1000):
        reported = usage(audio_in=heard + 600, audio_out=MOST_OUTPUT_TOKENS, text_in=4000)
        heard += 600 + MOST_OUTPUT_TOKENS
        spending.add(MODEL, reported)
        spent += most.cost_of(
            MODEL, {"audio_in": heard - MOST_OUTPUT_TOKENS, "audio_out": MOST_OUTPUT_TOKENS, "text_in": 4000}
        )
        if spending.is_used_up:
            break
    farewell = most.cost_of(MODEL, {"audio_in": heard + 600, "audio_out": MOST_OUTPUT_TOKENS, "text_in": 6000})
    assert spent + farewell <= most.most_usd


def test_an_ordinary_call_is_not_ended_by_its_cost() -> None:
    """Five minutes: a turn each ten seconds, the conversation read from the cache."""
    spending, heard = Spending(limit(5)), 0
    for _ in range(30):
        spending.add(MODEL, usage(audio_in=40, cached=heard, audio_out=100, text_in=50))
        spending.add(TRANSCRIPTION, {"type": "duration", "seconds": 4})
        heard += 140
        assert not spending.is_used_up


def test_what_has_no_known_price_counts_as_the_dearest() -> None:
    spending = Spending(limit(1))
    spending.add("a-model-that-nobody-knows", usage(audio_out=100_000))
    assert spending.is_used_up


def test_a_call_without_a_limit_goes_on() -> None:
    spending = Spending(None)
    spending.add(MODEL, usage(audio_out=10_000_000))
    assert not spending.is_used_up

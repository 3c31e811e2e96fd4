"""What the bridge reports becomes the transcript, the turns, the timeline and the cost of the call."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sessions.calls.facts import (
    Fact,
    LineSpoken,
    SomethingHappened,
    Speaker,
    TurnAnswered,
    TurnInterrupted,
    UsageReported,
)
from sessions.calls.models import Call
from sessions.calls.services import record_facts

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    return Call.objects.create(state="connected", connected_at=timezone.now())


def test_a_line_is_brought_up_to_date_by_its_item(call: Call) -> None:
    record_facts(call.id, [LineSpoken("item_1", Speaker.AGENT, "Hello, how can I", 100, 0)])
    record_facts(call.id, [LineSpoken("item_1", Speaker.AGENT, "Hello,", 100, 0, is_cut=True)])

    line = call.lines.get()
    assert (line.speaker, line.text, line.is_cut, line.spoken_at_ms) == ("agent", "Hello,", True, 100)


def test_a_nul_in_a_text_is_dropped(call: Call) -> None:
    record_facts(call.id, [LineSpoken("item_1", Speaker.CALLER, "two\x00 pizzas", 100, 0)])

    assert call.lines.get().text == "two pizzas"


def test_lines_are_read_in_the_order_spoken(call: Call) -> None:
    late, early = LineSpoken("b", Speaker.AGENT, "Hi", 900, 1), LineSpoken("a", Speaker.CALLER, "Hello", 200, 1)

    record_facts(call.id, [late, early])

    assert [line.text for line in call.lines.all()] == ["Hello", "Hi"]


def test_a_turn_keeps_its_parts_and_whether_it_was_interrupted(call: Call) -> None:
    record_facts(call.id, [TurnAnswered(1, 2000, 900, 500, 250, None), TurnInterrupted(1, 3500, 420)])

    turn = call.turns.get()
    assert (turn.response_ms, turn.detection_ms, turn.model_ms, turn.playout_ms) == (900, 500, 250, None)
    assert turn.is_interrupted
    call.refresh_from_db()
    assert call.interruptions == 1
    event = call.events.get()
    assert (event.kind, event.at_ms, event.detail) == ("interrupted", 3500, {"turn": 1, "heard_ms": 420})


def test_a_call_keeps_its_slowest_response(call: Call) -> None:
    record_facts(call.id, [TurnAnswered(1, 2000, 900, 500, 250, None), TurnAnswered(2, 4000, 2400, 500, 1800, None)])
    record_facts(call.id, [TurnAnswered(3, 8000, 700, 500, 100, None)])
    call.refresh_from_db()
    assert call.slowest_response_ms == 2400


def test_a_turn_that_is_measured_again_counts_as_it_is_now(call: Call) -> None:
    record_facts(call.id, [TurnAnswered(1, 2000, 900, 500, 250, None), TurnAnswered(2, 4000, 9000, 500, 1800, None)])
    record_facts(call.id, [TurnAnswered(2, 4000, 1200, 500, 400, None)])
    call.refresh_from_db()
    assert call.slowest_response_ms == 1200


def test_an_event_stands_on_the_stream_clock(call: Call) -> None:
    record_facts(call.id, [SomethingHappened("agent_ready", 1500, {"tries": 1})])

    event = call.events.get()
    assert call.connected_at is not None
    assert (event.at - call.connected_at).total_seconds() == 1.5
    assert event.detail == {"tries": 1}


def test_usage_adds_up_to_a_cost(call: Call) -> None:
    usage = {
        "input_token_details": {
            "text_tokens": 1000,
            "audio_tokens": 500,
            "cached_tokens_details": {"text_tokens": 400, "audio_tokens": 100},
        },
        "output_token_details": {"text_tokens": 50, "audio_tokens": 200},
    }

    record_facts(call.id, [UsageReported("response", "gpt-realtime-2.1", usage)])
    record_facts(call.id, [UsageReported("transcription", "gpt-transcribe", {"type": "duration", "seconds": 10})])

    call.refresh_from_db()
    # In millionths: 600·4 + 400·0.4 + 400·32 + 100·0.4 + 50·24 + 200·64 = 29 400; 10 s at 0.0045 a minute = 750.
    assert call.cost_usd == Decimal("0.030150")
    assert call.usage["response gpt-realtime-2.1"]["audio_in"] == 400


def test_all_facts_of_a_batch_are_kept_or_none(call: Call) -> None:
    broken = LineSpoken("x", Speaker.AGENT, "text", -1, 0)
    facts: list[Fact] = [SomethingHappened("agent_ready", 1), broken]

    with pytest.raises(Exception, match=r"CHECK constraint|violates check|out of range"):
        record_facts(call.id, facts)

    assert not call.events.exists()


def test_many_facts_take_few_statements(call: Call, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    facts: list[Fact] = []
    for number in range(1, 20):
        facts += [
            LineSpoken(f"caller_{number}", Speaker.CALLER, "A pizza", number * 1000, number),
            LineSpoken(f"agent_{number}", Speaker.AGENT, "Which", number * 1000 + 500, number),
            LineSpoken(f"agent_{number}", Speaker.AGENT, "Which one?", number * 1000 + 500, number),
            TurnAnswered(number, number * 1000, 500, 200, 200, 100),
            TurnInterrupted(number, number * 1000 + 900, 300),
            SomethingHappened("agent_ready", number * 1000),
            UsageReported("response", "gpt-realtime-2.1", {}),
        ]
    # The call; lines, answered turns, interrupted turns and events; the call's counts; and the savepoint around them.
    with django_assert_num_queries(8):
        record_facts(call.id, facts)

    call.refresh_from_db()
    assert (call.lines.count(), call.turns.count(), call.events.count(), call.interruptions) == (38, 19, 38, 19)
    assert {line.text for line in call.lines.filter(speaker="agent")} == {"Which one?"}
    assert [event.at_ms for event in call.events.order_by("id")][:4] == [1900, 1000, 2900, 2000]


def test_a_turn_that_was_interrupted_stays_so_when_its_parts_come_later(call: Call) -> None:
    record_facts(call.id, [TurnInterrupted(1, 3500, 420)])
    record_facts(call.id, [TurnAnswered(1, 2000, 900, 500, 250, None)])

    turn = call.turns.get()
    assert (turn.is_interrupted, turn.response_ms) == (True, 900)

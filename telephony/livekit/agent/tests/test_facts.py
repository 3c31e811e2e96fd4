"""What OpenAI and livekit-agents report becomes turns, lines, latency and usage of the call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from livekit.agents import AgentStateChangedEvent, ConversationItemAddedEvent
from livekit.agents.llm import ChatMessage

from sessions.calls.briefing import Briefing, CallLimits, Phrases, TurnDetection
from sessions.calls.facts import Fact, LineSpoken, Speaker, TurnAnswered, TurnInterrupted, UsageReported
from sessions.calls.spending import SpendingLimit
from telephony.livekit.agent.facts import CallFacts

BEGAN = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


class Clock:
    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    def at(self, ms: int) -> float:
        time = BEGAN + dt.timedelta(milliseconds=ms)
        self._traveller.move_to(time, tick=False)
        return time.timestamp()


@pytest.fixture
def clock() -> Iterator[Clock]:
    with time_machine.travel(BEGAN, tick=False) as traveller:
        yield Clock(traveller)


@pytest.fixture
def noted() -> list[Fact]:
    return []


def facts_of(
    noted: list[Fact], kind: str = "server_vad", limits: CallLimits | None = None, *, late_s: float = 0.0
) -> CallFacts:
    """`late_s`: how much later the caller hears the agent."""
    briefing = Briefing(
        call_id="1",
        model="gpt-realtime-2.1",
        voice="marin",
        language="en",
        instructions="",
        keywords=(),
        tools=(),
        phrases=Phrases(greeting="Hello."),
        transcription_model="gpt-transcribe",
        turn_detection=TurnDetection(kind=kind, silence_ms=500),
        limits=limits or CallLimits(),
    )
    return CallFacts(noted.append, briefing, turns=0, since_ms=0, heard_at=lambda at_s: at_s + late_s)


def starts_to_speak(at_s: float) -> AgentStateChangedEvent:
    return AgentStateChangedEvent(old_state="thinking", new_state="speaking", created_at=at_s)


def answer(facts: CallFacts, clock: Clock) -> None:
    clock.at(1_000)
    facts.on_event({"type": "input_audio_buffer.speech_started"})
    clock.at(3_000)
    facts.on_event({"type": "input_audio_buffer.speech_stopped"})
    clock.at(3_400)
    facts.on_event({"type": "response.output_audio.delta", "delta": "AAAA"})
    clock.at(3_420)
    facts.on_event({"type": "response.output_audio.delta", "delta": "AAAA"})
    facts.on_agent_state(starts_to_speak(clock.at(3_450)))


def test_a_turn_has_its_latency_in_parts(clock: Clock, noted: list[Fact]) -> None:
    answer(facts_of(noted), clock)
    assert noted == [
        TurnAnswered(1, speech_ended_ms=2_500, response_ms=950, detection_ms=500, model_ms=400, playout_ms=50)
    ]


def test_how_long_the_meaning_was_thought_about_is_not_known(clock: Clock, noted: list[Fact]) -> None:
    answer(facts_of(noted, kind="semantic_vad"), clock)
    assert noted == [
        TurnAnswered(1, speech_ended_ms=3_000, response_ms=450, detection_ms=None, model_ms=400, playout_ms=50)
    ]


def test_what_the_agent_says_by_itself_answers_nothing(clock: Clock, noted: list[Fact]) -> None:
    facts = facts_of(noted)
    facts.on_agent_state(starts_to_speak(clock.at(200)))
    answer(facts, clock)
    facts.on_agent_state(starts_to_speak(clock.at(9_000)))
    assert [type(fact) for fact in noted] == [TurnAnswered]


def test_what_a_visitors_call_has_cost_is_counted(noted: list[Fact]) -> None:
    rates = {"gpt-realtime-2.1": {"audio_in": 0.0, "text_in": 0.0, "audio_out": 0.0001}}
    limit = SpendingLimit(most_usd=1, model="gpt-realtime-2.1", rates=rates)
    limited, free = facts_of(noted, limits=CallLimits(spending=limit)), facts_of(noted)
    for tokens, is_used_up in ((5000, False), (1500, True)):
        for facts in (limited, free):
            usage = {"output_token_details": {"audio_tokens": tokens}}
            facts.on_event({"type": "response.done", "response": {"usage": usage}})
        assert limited.spending.is_used_up is is_used_up
        assert not free.spending.is_used_up


def test_tokens_and_transcribed_seconds_are_reported_as_openai_counts_them(clock: Clock, noted: list[Fact]) -> None:
    facts, tokens = facts_of(noted), {"total_tokens": 30, "input_token_details": {"audio_tokens": 20}}
    facts.on_event({"type": "response.done", "response": {"usage": tokens}})
    facts.on_event(
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "usage": {"type": "duration", "seconds": 2},
        }
    )
    facts.on_event({"type": "response.done", "response": {"usage": None}})
    assert noted == [
        UsageReported("response", "gpt-realtime-2.1", tokens),
        UsageReported("transcription", "gpt-transcribe", {"type": "duration", "seconds": 2}),
    ]


def test_an_interrupted_answer_is_kept_as_far_as_it_was_heard(clock: Clock, noted: list[Fact]) -> None:
    facts = facts_of(noted, late_s=0.2)
    facts.on_agent_state(starts_to_speak(clock.at(1_000)))
    item = ChatMessage(id="item_1", role="assistant", content=["We have funghi and"], interrupted=True)
    item.created_at = clock.at(2_200)
    facts.on_item(ConversationItemAddedEvent(item=item))
    assert noted == [
        TurnInterrupted(0, at_ms=2_200, heard_ms=1_200),
        LineSpoken("item_1", Speaker.AGENT, "We have funghi and", 2_400, 0, is_cut=True),
    ]

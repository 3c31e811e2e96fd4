"""What a worker's job learns of the agent it was sent for, and which jobs are refused."""

from __future__ import annotations

import pytest

from agents.organizations.models import Organization
from agents.tests.builders import make_agent
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import LineSpoken, Speaker
from sessions.calls.models import Call
from sessions.calls.services import record_facts
from sessions.rooms.models import RoomAgent, RoomToken
from sessions.rooms.services.agent_briefing import JobRefused, RoomBriefing, brief_room_agent
from sessions.rooms.services.agents import agent_expected, agent_removed
from sessions.rooms.services.calls import end_room_call
from sessions.rooms.services.tokens import issue_room_token
from sessions.tests.builders import ROOM, make_room_call


@pytest.fixture
def call(harbour: Organization) -> Call:
    version = make_agent(harbour, prompt="You are Giulia.", voice="cedar").published_version
    return make_room_call(harbour, agent_version=version)


@pytest.fixture
def agent(call: Call) -> RoomAgent:
    return agent_expected(call, system_prompt="", voice="alloy")


def brief(agent: RoomAgent, **values: str) -> RoomBriefing:
    given = {"identity": agent.identity, "room": ROOM, "job_id": "AJ_1"} | values
    return brief_room_agent(given.pop("call_id", str(agent.call_id)), **given)


def test_the_agent_is_the_published_one(call: Call, agent: RoomAgent) -> None:
    briefed = brief(agent)
    assert briefed.briefing.instructions.startswith("You are Giulia.")
    assert "transfer_call" in {tool["name"] for tool in briefed.briefing.tools}
    assert (briefed.past, briefed.turns, briefed.since_ms) == ((), 0, 0)


def test_a_prompt_and_a_voice_of_the_call_apply_to_it_alone(call: Call) -> None:
    own = agent_expected(call, system_prompt="Sell umbrellas.", voice="shimmer")
    briefed = brief(own).briefing
    assert briefed.instructions.startswith("Sell umbrellas.")
    assert briefed.voice == "shimmer"
    assert call.agent_version
    call.agent_version.refresh_from_db()
    assert (call.agent_version.prompt, call.agent_version.voice) == ("You are Giulia.", "cedar")


def test_it_knows_its_caller(call: Call, agent: RoomAgent) -> None:
    caller = issue_room_token(call, subject="user_alice", role=RoomToken.Role.CALLER, name="Alice")
    issue_room_token(call, subject="user_bob", role=RoomToken.Role.MEMBER, name="Bob")
    assert brief(agent).callers == {caller.identity}


def test_a_worker_that_takes_the_place_of_another_gets_the_conversation_so_far(call: Call, agent: RoomAgent) -> None:
    record_facts(
        call.pk,
        [
            LineSpoken("item_2", Speaker.CALLER, "Two small funghi.", 4_000, 1),
            LineSpoken("item_1", Speaker.AGENT, "Hello.", 500, 0),
        ],
    )
    briefed = brief(agent)
    assert briefed.past == (("agent", "Hello."), ("caller", "Two small funghi."))
    assert briefed.turns == 1


@pytest.mark.parametrize("call_id", ["", "x", "\x00", "9942aeda-8f49-4787-b2f0-cea10a4e8b58", "1" * 5_000])
def test_metadata_that_names_no_call_is_refused(agent: RoomAgent, call_id: str) -> None:
    with pytest.raises(JobRefused, match="No agent was requested"):
        brief(agent, call_id=call_id)


def test_metadata_that_names_another_organizations_call_is_refused(agent: RoomAgent, meadow: Organization) -> None:
    theirs = make_room_call(meadow, room_name="support-of-the-meadow")
    with pytest.raises(JobRefused, match="No agent was requested"):
        brief(agent, call_id=str(theirs.pk))


def test_a_job_for_another_room_is_refused(agent: RoomAgent) -> None:
    with pytest.raises(JobRefused, match="another room"):
        brief(agent, room="support-of-the-meadow")


def test_a_job_for_a_call_that_is_over_is_refused(call: Call, agent: RoomAgent) -> None:
    end_room_call(call, reason=EndReason.ENDED_BY_REQUEST)
    with pytest.raises(JobRefused, match="over"):
        brief(agent)


def test_a_job_for_an_agent_that_was_removed_is_refused(agent: RoomAgent) -> None:
    agent_removed(agent)
    with pytest.raises(JobRefused, match="removed"):
        brief(agent)


def test_a_second_job_for_the_same_agent_is_refused(agent: RoomAgent) -> None:
    brief(agent)
    brief(agent)
    with pytest.raises(JobRefused, match="Another job"):
        brief(agent, job_id="AJ_2")

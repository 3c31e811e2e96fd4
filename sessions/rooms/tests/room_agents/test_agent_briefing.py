"""What a worker's job learns of its agent, and which jobs are refused."""

from __future__ import annotations

import uuid

import pytest

from agents.organizations.models import Organization
from agents.tests.builders import make_organization
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import LineSpoken, Speaker
from sessions.calls.models import Call, CallKind, CallState
from sessions.calls.services import finish_call, record_facts
from sessions.rooms.models import RoomAgent, RoomToken
from sessions.rooms.services.agent_briefing import JobRefused, RoomBriefing, brief_room_agent
from sessions.rooms.services.agents import agent_expected, agent_removed
from sessions.rooms.services.tokens import issue_room_token

pytestmark = pytest.mark.django_db

ROOM = "support-alice-1"


def expected(organization: Organization, *, system_prompt: str = "", voice: str = "alloy") -> RoomAgent:
    call = Call.objects.create(
        organization=organization, owner="alice", kind=CallKind.ROOM, call_type="support", room_name=ROOM,
        state=CallState.CONNECTED,
    )  # fmt: skip
    issue_room_token(call, subject="alice", role=RoomToken.Role.CALLER, name="Alice")
    return agent_expected(call, system_prompt=system_prompt, voice=voice)


def brief(
    agent: RoomAgent, *, call_id: str | None = None, identity: str = "", room: str = ROOM, job_id: str = "AJ_1"
) -> RoomBriefing:
    own = str(agent.call_id) if call_id is None else call_id
    return brief_room_agent(own, identity=identity or agent.identity, room=room, job_id=job_id)


def test_the_prompt_and_the_voice_of_the_call_are_the_agents() -> None:
    agent = expected(make_organization("Harbour"), system_prompt="Speak like a pirate.", voice="cedar")
    room = brief(agent)
    assert (room.briefing.instructions, room.briefing.voice) == ("Speak like a pirate.", "cedar")
    assert room.callers == {agent.call.room_tokens.get(role="caller").identity}
    assert (room.past, room.turns, room.has_others) == ((), 0, False)


def test_an_agent_in_the_place_of_another_knows_what_was_said() -> None:
    agent = expected(make_organization("Harbour"))
    said = [("a1", Speaker.AGENT, "Hello.", 100, 0), ("u1", Speaker.CALLER, "A table for two.", 900, 1)]
    record_facts(agent.call_id, [LineSpoken(*line) for line in said])
    room = brief(agent)
    assert room.past == (("agent", "Hello."), ("caller", "A table for two."))
    assert room.turns == 1


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"room": "another"}, "for another room"),
        ({"identity": "ai-agent-unknown"}, "No agent was requested"),
        ({"call_id": str(uuid.uuid4())}, "No agent was requested"),
        ({"call_id": "'; drop table"}, "No agent was requested"),
        ({"call_id": ""}, "No agent was requested"),
    ],
)
def test_a_job_for_no_agent_of_ours_is_refused(changed: dict[str, str], why: str) -> None:
    agent = expected(make_organization("Harbour"))
    with pytest.raises(JobRefused, match=why):
        brief(agent, **changed)


def test_a_second_job_a_call_that_is_over_and_an_agent_that_was_removed_are_refused() -> None:
    agent = expected(make_organization("Harbour"))
    brief(agent)
    brief(agent)
    with pytest.raises(JobRefused, match="Another job"):
        brief(agent, job_id="AJ_2")
    agent_removed(agent)
    with pytest.raises(JobRefused, match="removed"):
        brief(agent)
    finish_call(agent.call_id, reason=EndReason.ENDED_BY_REQUEST)
    with pytest.raises(JobRefused, match="over"):
        brief(agent)

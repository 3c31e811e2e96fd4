"""How an agent's joining and leaving is recorded when reports are out of order, late or missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.people import ApiClient
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agents import (
    JOINS_WITHIN,
    WITHDRAW_TOPIC,
    AgentIsThere,
    agent_expected,
    agent_gone,
    agent_never_came,
    agent_of,
    agent_removed,
    agent_seen,
    agents_gone_with,
    agents_overdue,
    change_agent_status,
    claim_agent,
)
from sessions.tests.builders import ROOM
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.tests.waiting import soon

from .api_requests import AGENT
from .conftest import SeeAgent

Status = RoomAgent.Status


@pytest.fixture
def agent(call: Call) -> RoomAgent:
    return agent_expected(call, system_prompt="", voice="alloy")


def status_of(agent: RoomAgent) -> str:
    agent.refresh_from_db()
    return agent.status


def test_it_comes_once_and_goes_once(call: Call, agent: RoomAgent) -> None:
    now = timezone.now()
    assert agent_seen(call, identity=agent.identity, at=now)
    assert not agent_seen(call, identity=agent.identity, at=now + dt.timedelta(seconds=1))
    assert agent_gone(call, identity=agent.identity, at=now + dt.timedelta(seconds=9))
    assert not agent_gone(call, identity=agent.identity, at=now + dt.timedelta(seconds=10))
    assert status_of(agent) == Status.DISCONNECTED
    assert (agent.joined_at, agent.disconnected_at) == (now, now + dt.timedelta(seconds=9))


def test_one_that_left_by_itself_and_comes_back_is_there(call: Call, agent: RoomAgent) -> None:
    now = timezone.now()
    assert agent_seen(call, identity=agent.identity, at=now)
    assert agent_gone(call, identity=agent.identity, at=now + dt.timedelta(seconds=9))
    assert agent_seen(call, identity=agent.identity, at=now + dt.timedelta(seconds=10))
    assert status_of(agent) == Status.ACTIVE
    assert (agent.joined_at, agent.disconnected_at) == (now, None)
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    "end", [agent_never_came, agent_removed, lambda agent: change_agent_status(agent, "disconnected")]
)
def test_one_that_was_withdrawn_does_not_come_back(
    call: Call, agent: RoomAgent, end: Callable[[RoomAgent], object]
) -> None:
    end(agent)
    assert not agent_seen(call, identity=agent.identity, at=timezone.now())
    assert status_of(agent) == Status.DISCONNECTED
    assert OutboxMessage.objects.filter(topic=WITHDRAW_TOPIC, partition_key=agent.identity).exists()


def test_a_worker_under_another_identity_is_not_the_expected_agent(call: Call, agent: RoomAgent) -> None:
    assert not agent_seen(call, identity="agent-AJ_1", at=timezone.now())
    assert not agent_gone(call, identity="agent-AJ_1", at=timezone.now())
    assert status_of(agent) == Status.PENDING


def test_the_one_before_does_not_stand_for_the_one_expected(call: Call, agent: RoomAgent) -> None:
    agent_gone(call, identity=agent.identity, at=timezone.now())
    second = agent_expected(call, system_prompt="", voice="alloy")
    assert not agent_seen(call, identity=agent.identity, at=timezone.now())
    assert not agent_gone(call, identity=agent.identity, at=timezone.now())
    assert status_of(second) == Status.PENDING
    assert agent_of(call) == second


def test_another_calls_agent_is_not_touched(
    call: Call, agent: RoomAgent, meadow: Organization, open_call: Callable[..., Call]
) -> None:
    other = open_call(meadow, "elsewhere")
    agent_expected(other, system_prompt="", voice="alloy")
    assert agents_gone_with(other.pk, at=timezone.now())
    assert not agents_gone_with(other.pk, at=timezone.now())
    assert status_of(agent) == Status.PENDING


def test_two_are_not_expected_at_once(call: Call, agent: RoomAgent) -> None:
    with pytest.raises(AgentIsThere):
        agent_expected(call, system_prompt="", voice="alloy")
    assert agent_of(call) == agent


# Jobs


def test_of_two_jobs_for_one_agent_the_first_takes_it(call: Call, agent: RoomAgent) -> None:
    assert claim_agent(agent.identity, job_id="AJ_1")
    assert claim_agent(agent.identity, job_id="AJ_1")
    assert not claim_agent(agent.identity, job_id="AJ_2")


def test_no_job_takes_an_agent_that_is_not_wanted(call: Call, agent: RoomAgent) -> None:
    assert not claim_agent("ai-agent-of-nobody", job_id="AJ_1")
    agent_removed(agent)
    assert not claim_agent(agent.identity, job_id="AJ_1")
    second = agent_expected(call, system_prompt="", voice="alloy")
    Call.objects.update(state="completed")
    assert not claim_agent(second.identity, job_id="AJ_1")


# Never


def test_one_who_has_not_come_in_time_is_overdue(call: Call, agent: RoomAgent) -> None:
    assert list(agents_overdue(agent.created_at + JOINS_WITHIN - dt.timedelta(seconds=1))) == []
    assert list(agents_overdue(agent.created_at + JOINS_WITHIN)) == [agent]
    agent_seen(call, identity=agent.identity, at=timezone.now())
    assert list(agents_overdue(agent.created_at + JOINS_WITHIN)) == []


def test_never_is_said_in_the_calls_timeline_once(call: Call, agent: RoomAgent) -> None:
    assert agent_never_came(agent)
    assert not agent_never_came(agent)
    assert status_of(agent) == Status.DISCONNECTED
    (event,) = call.events.all()
    assert (event.kind, event.detail) == ("agent_never_joined", {"identity": agent.identity})
    assert OutboxMessage.objects.filter(topic=WITHDRAW_TOPIC).count() == 1


def test_an_agent_that_joins_at_the_last_second_is_kept(call: Call, agent: RoomAgent) -> None:
    agent_seen(call, identity=agent.identity, at=timezone.now())
    assert not agent_never_came(agent)
    assert status_of(agent) == Status.ACTIVE
    assert not call.events.exists()
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("fault", ["agent_never", "no_worker"])
def test_an_agent_that_never_joins_times_out_and_may_be_requested_again(
    alice: ApiClient, call: Call, client: LiveKitClient, livekit: RunningLiveKit, settings: Settings, fault: str
) -> None:
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(fault)
    assert alice.post(AGENT, roomName=ROOM).status_code == 200
    (overdue,) = agents_overdue(timezone.now() + JOINS_WITHIN)
    assert agent_never_came(overdue)
    assert outbox.process_due([WITHDRAW_TOPIC]) == 1
    assert client.list_dispatches(ROOM) == ()
    settings.LIVEKIT_INTERNAL_URL = livekit.url
    assert alice.post(AGENT, roomName=ROOM).status_code == 200


def test_an_agent_that_comes_after_it_was_given_up_is_put_out(
    alice: ApiClient,
    call: Call,
    client: LiveKitClient,
    livekit: RunningLiveKit,
    see_agent: SeeAgent,
    settings: Settings,
) -> None:
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("agent_never")
    session = alice.post(AGENT, roomName=ROOM).json()["session"]
    agent = RoomAgent.objects.get()
    assert agent_never_came(agent)
    assert outbox.process_due([WITHDRAW_TOPIC]) == 1
    livekit.join(session["token"])
    assert soon(lambda: client.list_participants(ROOM))[0].identity == agent.identity
    for _ in range(3):
        assert not agent_seen(call, identity=agent.identity, at=timezone.now())
    assert outbox.process_due([WITHDRAW_TOPIC]) == 1
    assert client.list_participants(ROOM) == ()
    assert status_of(agent) == Status.DISCONNECTED

"""Participants join and leave rooms of the simulator, as the client sees it."""

from __future__ import annotations

import time

import httpx
import pytest

from voiceapp.providers.livekit.client import AgentRequest, LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET, RunningLiveKit, running_livekit
from voiceapp.tests.waiting import soon

ROOM = "support-user123-1640995200"


def kinds(client: LiveKitClient) -> list[str]:
    return sorted(each.kind for each in client.list_participants(ROOM))


def join(livekit: RunningLiveKit, client: LiveKitClient, identity: str = "user-1-x") -> None:
    livekit.join(client.join_token(room=ROOM, identity=identity, name="Alice"))


def test_a_person_joins_with_a_token_is_listed_and_removed(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    client.create_room(ROOM)
    join(livekit, client)
    (alice,) = client.list_participants(ROOM)
    assert (alice.identity, alice.name, alice.kind, alice.state) == ("user-1-x", "Alice", "standard", "active")
    assert alice.sid.startswith("PA_")
    assert alice.is_person
    assert alice.joined_at
    assert [(track.kind, track.source, track.is_muted) for track in alice.tracks] == [("audio", "microphone", False)]
    room = client.find_room(ROOM)
    assert room
    assert room.participant_count == 1
    assert client.remove_participant(ROOM, "user-1-x") is True
    assert client.list_participants(ROOM) == ()


def test_a_token_publishes_the_microphone_and_nothing_else(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    join(livekit, client)
    with pytest.raises(httpx.HTTPStatusError) as refused:
        livekit.control("POST", f"rooms/{ROOM}/participants/user-1-x/publish", json={"source": "camera"})
    assert refused.value.response.status_code == 403


def test_a_second_join_of_one_identity_puts_the_first_one_out(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    first = livekit.join(client.join_token(room=ROOM, identity="user-1-x"))
    second = livekit.join(client.join_token(room=ROOM, identity="user-1-x"))
    assert [each.sid for each in client.list_participants(ROOM)] == [second["sid"]]
    assert first["sid"] != second["sid"]


def test_a_full_room_takes_no_more_people_but_its_agent(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    client.create_room(ROOM, max_participants=1)
    join(livekit, client)
    with pytest.raises(httpx.HTTPStatusError):
        join(livekit, client, "user-2-y")
    client.create_dispatch(ROOM, AgentRequest("voice-agent"))
    soon(lambda: kinds(client) == ["agent", "standard"])


def test_an_agent_joins_by_itself_with_the_identity_of_its_dispatch(
    livekit: RunningLiveKit, client: LiveKitClient
) -> None:
    client.create_room(ROOM, agent=AgentRequest("voice-agent", metadata='{"identity": "ai-agent-7"}'))
    (agent,) = soon(lambda: client.list_participants(ROOM))
    assert (agent.identity, agent.is_agent, agent.is_person) == ("ai-agent-7", True, False)
    assert agent.attributes["lk.agent.state"] == "listening"
    (dispatch,) = client.list_dispatches(ROOM)
    assert [(job.status, job.participant_identity) for job in dispatch.jobs] == [("running", "ai-agent-7")]
    assert client.delete_dispatch(ROOM, dispatch.id) is True
    assert client.list_participants(ROOM) == ()


@pytest.mark.parametrize(
    ("fault", "jobs"), [("agent_never", ["pending"]), ("no_worker", []), ("agent_late=60", ["pending"])]
)
def test_a_missing_agent_shows_in_its_jobs(livekit: RunningLiveKit, fault: str, jobs: list[str]) -> None:
    url = livekit.server.fault_url(fault)
    client = LiveKitClient(url=url, api_key=API_KEY, api_secret=API_SECRET)
    client.create_room(ROOM, agent=AgentRequest("voice-agent"))
    (dispatch,) = client.list_dispatches(ROOM)
    assert [job.status for job in dispatch.jobs] == jobs
    livekit.advance(5)
    assert client.list_participants(ROOM) == ()
    # …until the control API lets it come.
    livekit.control("POST", f"rooms/{ROOM}/dispatches/{dispatch.id}/join")
    assert kinds(client) == ["agent"]


def test_an_agent_leaves_in_the_middle(livekit: RunningLiveKit) -> None:
    url = livekit.server.fault_url("agent_leaves=0.05")
    client = LiveKitClient(url=url, api_key=API_KEY, api_secret=API_SECRET)
    client.create_room(ROOM, agent=AgentRequest("voice-agent"))
    soon(lambda: kinds(client) == ["agent"])
    soon(lambda: kinds(client) == [])
    (dispatch,) = client.list_dispatches(ROOM)
    assert [job.status for job in dispatch.jobs] == ["success"]


def test_a_dispatch_makes_the_room_that_it_needs(client: LiveKitClient) -> None:
    client.create_dispatch(ROOM, AgentRequest("voice-agent"))
    assert client.find_room(ROOM)


def test_a_room_that_a_token_opens_has_a_dispatch_without_a_name_as_on_the_real_server(
    livekit: RunningLiveKit, client: LiveKitClient
) -> None:
    join(livekit, client)
    (dispatch,) = client.list_dispatches(ROOM)
    assert (dispatch.agent_name, dispatch.jobs) == ("", ())


@pytest.mark.parametrize("opened_by", ["token", "dispatch"])
def test_a_worker_without_a_name_joins_a_room_created_without_a_dispatch(opened_by: str) -> None:
    with running_livekit(faults=["unnamed_worker"]) as livekit:
        client = LiveKitClient(url=livekit.url, api_key=API_KEY, api_secret=API_SECRET)
        if opened_by == "token":
            join(livekit, client)
        else:
            client.create_dispatch(ROOM, AgentRequest("no-agent-wanted"))
        (agent,) = soon(lambda: [each for each in client.list_participants(ROOM) if each.is_agent])
        assert agent.identity.startswith("agent-AJ_")


@pytest.mark.parametrize("agent", [None, AgentRequest("voice-agent", metadata='{"identity": "ai-agent-7"}')])
def test_a_worker_without_a_name_stays_out_of_the_rooms_that_the_client_makes(agent: AgentRequest | None) -> None:
    with running_livekit(faults=["unnamed_worker"]) as livekit:
        client = LiveKitClient(url=livekit.url, api_key=API_KEY, api_secret=API_SECRET)
        client.create_room(ROOM, agent=agent)
        join(livekit, client)
        wanted = ["ai-agent-7"] if agent else []
        soon(lambda: kinds(client) == ["agent"] * len(wanted) + ["standard"])
        time.sleep(0.1)  # ten times as long as its agent would take
        assert [each.identity for each in client.list_participants(ROOM) if each.is_agent] == wanted
        assert [each.agent_name for each in client.list_dispatches(ROOM)] == ["voice-agent"] * len(wanted)


def test_a_token_opens_a_room_that_was_deleted_unless_rooms_are_made_by_request_alone() -> None:
    for auto_create in (True, False):
        with running_livekit(auto_create=auto_create) as livekit:
            client = LiveKitClient(url=livekit.url, api_key=API_KEY, api_secret=API_SECRET)
            client.create_room(ROOM)
            token = client.join_token(room=ROOM, identity="user-1-x")
            livekit.join(token)
            client.delete_room(ROOM)
            if auto_create:
                livekit.join(token)
            else:
                with pytest.raises(httpx.HTTPStatusError) as refused:
                    livekit.join(token)
                assert refused.value.response.status_code == 404
                assert httpx.get(f"{livekit.url}/rtc/validate", params={"access_token": token}).status_code == 404
                with pytest.raises(LiveKitError) as error:
                    client.create_dispatch(ROOM, AgentRequest("voice-agent"))
                assert error.value.kind is LiveKitErrorKind.UNAVAILABLE
            assert (client.find_room(ROOM) is not None) is auto_create


def test_only_the_workers_that_there_are_take_jobs() -> None:
    with running_livekit(agent_names=["voice-agent"]) as livekit:
        client = LiveKitClient(url=livekit.url, api_key=API_KEY, api_secret=API_SECRET)
        assert client.create_dispatch(ROOM, AgentRequest("voice-agent")).jobs
        assert not client.create_dispatch(ROOM, AgentRequest("mistyped")).jobs


def test_an_empty_room_closes_after_its_time(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    client.create_room(ROOM, empty_timeout_s=60)
    livekit.advance(59)
    assert client.find_room(ROOM)
    livekit.advance(2)
    assert client.find_room(ROOM) is None


def test_a_room_closes_after_the_last_person_left_though_the_agent_stays(
    livekit: RunningLiveKit, client: LiveKitClient
) -> None:
    client.create_room(ROOM, departure_timeout_s=20, agent=AgentRequest("voice-agent"))
    soon(lambda: kinds(client) == ["agent"])
    join(livekit, client)
    livekit.advance(400)
    livekit.leave(ROOM, "user-1-x")
    livekit.advance(19)
    assert kinds(client) == ["agent"]
    livekit.advance(2)
    assert client.find_room(ROOM) is None


def test_one_who_comes_back_in_time_keeps_the_room_open(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    client.create_room(ROOM, departure_timeout_s=20)
    join(livekit, client)
    livekit.leave(ROOM, "user-1-x")
    livekit.advance(10)
    join(livekit, client)
    livekit.advance(100)
    assert client.find_room(ROOM)


@pytest.mark.parametrize("token", ["", "no token", "a.b.c"])
def test_no_participant_joins_without_a_token(livekit: RunningLiveKit, token: str) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        livekit.join(token)
    assert refused.value.response.status_code == 401

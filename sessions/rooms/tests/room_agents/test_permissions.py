"""Who may do what with a room's agent: Alice's call, Bob her colleague, Mia their manager, Charlie a stranger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.organizations.scopes import Scope
from agents.organizations.services import issue_key
from agents.tests.people import ApiClient, api_client, refused, token_of
from sessions.calls.models import Call, CallType
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agents import agent_expected
from sessions.tests.builders import ROOM
from voiceapp.providers.tests.clerk_instance import ClerkInstance

from .api_requests import AGENT, ALL, REALTIME, send_request
from .conftest import SeeAgent

NOT_FOUND = {AGENT: "Session not found", REALTIME: "Call session or agent not found"}


def expect_agent(call: Call) -> RoomAgent:
    return agent_expected(call, system_prompt="", voice="alloy")


@pytest.mark.parametrize(("method", "path"), ALL)
def test_a_request_without_credentials_is_refused(anonymous: ApiClient, call: Call, method: str, path: str) -> None:
    answer = send_request(anonymous, method, path)
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})


@pytest.mark.parametrize(("method", "path"), ALL)
def test_a_stranger_sees_no_such_room(charlie: ApiClient, call: Call, method: str, path: str) -> None:
    agent = expect_agent(call)
    answer = send_request(charlie, method, path)
    assert refused(answer) == (404, NOT_FOUND[path])
    assert answer.json() == send_request(charlie, method, path, "support-of-anonymous").json()
    agent.refresh_from_db()
    assert agent.status == "pending"


@pytest.mark.parametrize(("method", "path"), ALL)
def test_a_colleague_may_not_touch_it(bob: ApiClient, call: Call, method: str, path: str) -> None:
    agent = expect_agent(call)
    assert refused(send_request(bob, method, path)) == (403, "Access denied to this session")
    agent.refresh_from_db()
    assert agent.status == "pending"


@pytest.mark.parametrize("who", ["alice", "mia", "website"])
def test_its_owner_its_manager_and_its_key_may_do_everything(
    who: str, call: Call, see_agent: SeeAgent, request: pytest.FixtureRequest
) -> None:
    api: ApiClient = request.getfixturevalue(who)
    assert send_request(api, "POST", AGENT).status_code == 200
    see_agent(call)
    for method, path in ALL[1:3] + ALL[4:6] + ALL[3:4]:
        assert send_request(api, method, path).status_code == 200, (method, path)


def test_the_callee_may(bob: ApiClient, harbour: Organization, open_call: Callable[..., Call]) -> None:
    open_call(harbour, call_type=CallType.USER_TO_USER, callee="user_bob")
    assert send_request(bob, "POST", AGENT).status_code == 200


def test_members_see_the_agent_of_their_conference_and_leave_it_alone(
    bob: ApiClient, harbour: Organization, open_call: Callable[..., Call]
) -> None:
    expect_agent(open_call(harbour, call_type=CallType.CONFERENCE))
    assert send_request(bob, "GET", AGENT).json()["session"]["status"] == "pending"
    assert send_request(bob, "GET", REALTIME).json()["agentStatus"] == "pending"
    for method, path in ALL:
        if method != "GET":
            assert refused(send_request(bob, method, path))[0] == 403


@pytest.mark.parametrize(
    ("scope", "allowed"), [(Scope.CALLS_READ, {"GET"}), (Scope.CALLS_WRITE, {"POST", "PATCH", "DELETE"})]
)
def test_a_key_needs_the_scope(
    live_server: LiveServer,
    clerk: ClerkInstance,
    harbour: Organization,
    call: Call,
    scope: Scope,
    allowed: set[str],
) -> None:
    with api_client(live_server.url, issue_key(harbour, name="narrow", scopes=[scope]).text) as api:
        for method, path in ALL:
            assert (send_request(api, method, path).status_code == 403) is (method not in allowed), (method, path)


def listed(api: ApiClient) -> list[Any]:
    body = api.get(AGENT, listAll="true").json()
    assert body["count"] == len(body["sessions"])
    return sorted(each["roomName"] for each in body["sessions"])


def test_the_list_has_what_one_may_see(
    alice: ApiClient,
    bob: ApiClient,
    mia: ApiClient,
    charlie: ApiClient,
    website: ApiClient,
    harbour: Organization,
    meadow: Organization,
    open_call: Callable[..., Call],
) -> None:
    expect_agent(open_call(harbour, "alices"))
    expect_agent(open_call(harbour, "bobs", owner="user_bob"))
    expect_agent(open_call(harbour, "to-alice", owner="user_bob", call_type="user-to-user", callee="user_alice"))
    expect_agent(open_call(harbour, "conference", owner="user_mia", call_type="conference"))
    expect_agent(open_call(meadow, "meadows", owner="user_charlie"))
    expect_agent(open_call(None, "nobodys", owner="user_alice"))
    RoomAgent.objects.filter(pk=expect_agent(open_call(harbour, "gone")).pk).update(status="disconnected")
    assert listed(alice) == ["alices", "conference", "to-alice"]
    assert listed(bob) == ["bobs", "conference", "to-alice"]
    assert listed(mia) == listed(website) == ["alices", "bobs", "conference", "to-alice"]
    assert listed(charlie) == ["meadows"]


def test_one_without_an_organization_has_agents_of_their_own(
    live_server: LiveServer, clerk: ClerkInstance, open_call: Callable[..., Call], harbour: Organization
) -> None:
    expect_agent(open_call(None, "dianas", owner="user_diana"))
    expect_agent(open_call(harbour, "harbours", owner="user_diana"))
    with api_client(live_server.url, token_of(clerk, "user_diana", None)) as diana:
        assert listed(diana) == ["dianas"]
        assert send_request(diana, "GET", AGENT, "dianas").status_code == 200
        assert send_request(diana, "GET", AGENT, "harbours").status_code == 404


def test_the_list_takes_as_many_queries_for_many_as_for_one(
    mia: ApiClient, harbour: Organization, open_call: Callable[..., Call], django_assert_num_queries: Any
) -> None:
    from agents.organizations.principal import Principal
    from agents.organizations.roles import Role
    from sessions.rooms.serializers.agents import AgentsResponse
    from sessions.rooms.serializers.rooms import MOST_LISTED

    for number in range(5):
        expect_agent(open_call(harbour, f"room-{number}"))
    principal = Principal("user_mia", frozenset({harbour.pk}), roles={harbour.pk: Role.MANAGER})
    with django_assert_num_queries(1):
        present = RoomAgent.objects.present().readable_by(principal).select_related("call")
        assert AgentsResponse(list(present[:MOST_LISTED])).data["count"] == 5


def test_the_newest_call_of_a_name_is_meant(
    alice: ApiClient, harbour: Organization, open_call: Callable[..., Call]
) -> None:
    first = open_call(harbour)
    expect_agent(first)
    Call.objects.filter(pk=first.pk).update(state="completed")
    open_call(harbour)
    assert alice.get(AGENT, roomName=ROOM).json() == {"success": True, "available": False, "session": None}

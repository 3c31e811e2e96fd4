"""Who may do what with a call: Alice's, Bob her colleague, Mia their manager, Charlie a stranger."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.organizations.scopes import Scope
from agents.organizations.services import issue_key
from agents.tests.people import ApiClient, api_client, refused, token_of
from sessions.calls.models import Call
from sessions.rooms.models import RoomToken
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.tests.clerk_instance import ClerkInstance

from .api_requests import SESSION, TOKEN, claims_of, ended, started

Send = Callable[[ApiClient, str], httpx.Response]
WAYS: dict[str, Send] = {
    "GET": lambda api, room: api.get(SESSION, roomName=room),
    "PATCH": lambda api, room: api.patch(SESSION, roomName=room, metadata={"mine": True}),
    "DELETE": lambda api, room: api.delete(SESSION, roomName=room),
    "token": lambda api, room: api.post(TOKEN, roomName=room),
}
DENIED = (403, "Access denied to this session")


def untouched(call: Call) -> bool:
    call.refresh_from_db()
    return (call.state, call.metadata, call.room_tokens.count()) == ("connected", {}, 0)


@pytest.mark.parametrize("way", WAYS)
def test_a_stranger_sees_no_such_call(charlie: ApiClient, harbour: Organization, way: str) -> None:
    call = make_room_call(harbour)
    answer = WAYS[way](charlie, ROOM)
    assert refused(answer) == (404, "Session not found")
    if way != "token":  # a token for an unknown room starts a call
        assert answer.json() == WAYS[way](charlie, "support-of-anonymous").json()
    assert untouched(call)


@pytest.mark.parametrize("way", WAYS)
def test_a_colleague_may_not_touch_it(bob: ApiClient, harbour: Organization, way: str) -> None:
    call = make_room_call(harbour)
    title = "Access denied" if way in ("PATCH", "DELETE") else "Access denied to this session"
    assert refused(WAYS[way](bob, ROOM)) == (403, title)
    assert untouched(call)


@pytest.mark.parametrize("way", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("who", ["alice", "mia", "website"])
def test_its_owner_its_manager_and_its_key_may(
    who: str, way: str, harbour: Organization, request: pytest.FixtureRequest
) -> None:
    make_room_call(harbour)
    assert WAYS[way](request.getfixturevalue(who), ROOM).status_code == 200


@pytest.mark.parametrize("way", WAYS)
def test_whom_it_is_for_may_as_well(bob: ApiClient, harbour: Organization, way: str) -> None:
    make_room_call(harbour, call_type="user-to-user", callee="user_bob")
    assert WAYS[way](bob, ROOM).status_code == 200


@pytest.mark.parametrize("way", WAYS)
def test_a_callees_name_means_nothing_in_another_organization(
    charlie: ApiClient, harbour: Organization, way: str
) -> None:
    call = make_room_call(harbour, call_type="user-to-user", callee="user_charlie")
    assert refused(WAYS[way](charlie, ROOM)) == (404, "Session not found")
    assert untouched(call)


def test_an_organizations_members_read_and_join_its_conferences(bob: ApiClient, harbour: Organization) -> None:
    make_room_call(harbour, call_type="conference")
    assert {way: WAYS[way](bob, ROOM).status_code for way in WAYS} == {
        "GET": 200, "PATCH": 403, "DELETE": 403, "token": 200,
    }  # fmt: skip
    assert RoomToken.objects.get().role == "member"


@pytest.mark.parametrize("who", ["mia", "website"])
def test_a_manager_does_not_listen_to_a_support_call(
    who: str, harbour: Organization, request: pytest.FixtureRequest
) -> None:
    call = make_room_call(harbour)
    assert refused(WAYS["token"](request.getfixturevalue(who), ROOM)) == DENIED
    assert untouched(call)


def test_two_without_an_organization_call_each_other(
    live_server: LiveServer, clerk: ClerkInstance, charlie: ApiClient
) -> None:
    with (
        api_client(live_server.url, token_of(clerk, "user_dora", None)) as dora,
        api_client(live_server.url, token_of(clerk, "user_emil", None)) as emil,
        api_client(live_server.url, token_of(clerk, "user_finn", None)) as finn,
    ):
        room = started(dora, callType="user-to-user", calleeId="user_emil")["roomName"]
        assert WAYS["token"](emil, room).status_code == 200
        assert [each["roomName"] for each in emil.get(SESSION).json()["sessions"]] == [room]
        assert WAYS["GET"](emil, room).status_code == 200
        for stranger in (finn, charlie):
            assert {refused(WAYS[way](stranger, room)) for way in WAYS} == {(404, "Session not found")}
            assert stranger.get(SESSION).json()["total"] == 0
        assert WAYS["DELETE"](emil, room).status_code == 200


def test_a_key_needs_the_scope(live_server: LiveServer, harbour: Organization) -> None:
    call = ended(make_room_call(harbour), after_s=5)
    call.recordings.create(state="stored", url="https://s3.example.com/1.ogg")
    reads = issue_key(harbour, name="reads", scopes=[Scope.CALLS_READ]).text
    writes = issue_key(harbour, name="writes", scopes=[Scope.CALLS_WRITE]).text
    with api_client(live_server.url, reads) as reader, api_client(live_server.url, writes) as writer:
        assert WAYS["GET"](reader, ROOM).json()["session"]["recordingUrl"] is None  # recordings:read is another scope
        assert {refused(WAYS[way](reader, ROOM))[0] for way in ("PATCH", "DELETE", "token")} == {403}
        assert refused(reader.post(SESSION))[0] == 403
        assert refused(WAYS["GET"](writer, ROOM))[0] == 403
        assert started(writer)["participantName"] == "writes"


def test_a_signed_in_person_needs_the_forgery_token_too(
    live_server: LiveServer, harbour: Organization, client_of_django: tuple[User, httpx.Client]
) -> None:
    user, http = client_of_django
    session = http.post(SESSION, json={}).json()["session"]
    assert session["participantName"] == "Dana Day"
    assert claims_of(session["token"])["name"] == "Dana Day"
    assert Call.objects.get().owner == str(user.pk)
    assert http.get(SESSION).json()["total"] == 1
    del http.headers["X-CSRFToken"]
    assert http.post(SESSION, json={}).status_code == 403
    assert http.delete(SESSION, params={"roomName": session["roomName"]}).status_code == 403

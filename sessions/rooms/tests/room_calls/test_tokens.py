"""What a token permits and to whom, in this API's format and in LiveKit's."""

from __future__ import annotations

import datetime as dt
import io
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.tests.people import ApiClient, api_client, refused, token_of
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent, RoomToken
from sessions.rooms.services.calls import end_room_call
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.tests.clerk_instance import ClerkInstance
from voiceapp.simulators.livekit.tests.running import RunningLiveKit

from .api_requests import HOST, SESSION, TOKEN, claims_of, started

OURS = {"token", "roomName", "participantName", "livekitHost", "agentSpawned", "callId"}
LIVEKITS = {"server_url", "participant_token"}
BOTH_SHAPES = OURS | LIVEKITS | {"serverUrl", "participantToken"}
TAKEN = (409, "Active session already exists for this room")


@pytest.mark.parametrize("path", [SESSION, TOKEN])
def test_a_token_opens_one_room_for_ten_minutes_to_a_microphone(alice: ApiClient, path: str) -> None:
    body = alice.post(path).json()
    given = body.get("session", body)
    claims = claims_of(given["token"])
    assert claims["video"] == {
        "roomJoin": True,
        "room": given["roomName"],
        "canPublish": True,
        "canSubscribe": True,
        "canPublishData": True,  # text on lk.chat to the agent of the call
        "canPublishSources": ["microphone"],
        "canUpdateOwnMetadata": False,
    }
    assert 0 < claims["exp"] - timezone.now().timestamp() <= 600
    assert "roomConfig" not in claims
    assert claims["name"] == given["participantName"] == "Caller"
    assert len(claims["sub"]) >= 32
    assert "alice" not in claims["sub"]
    room_token = RoomToken.objects.get(role="caller")
    assert (room_token.identity, room_token.subject) == (claims["sub"], "user_alice")


@pytest.mark.parametrize("path", [SESSION, TOKEN])
def test_nobody_writes_where_no_agent_reads(alice: ApiClient, path: str) -> None:
    body = alice.post(path, **({"enableAiAgent": False} if path == SESSION else {"spawnAiAgent": False})).json()
    assert claims_of(body.get("session", body)["token"])["video"]["canPublishData"] is False


def test_livekit_lets_its_holder_in(alice: ApiClient, livekit: RunningLiveKit) -> None:
    session = started(alice)
    assert livekit.join(session["token"])["name"] == "Caller"


def test_each_token_has_an_identity_of_its_own(alice: ApiClient, harbour: Organization) -> None:
    make_room_call(harbour)
    subjects = {claims_of(alice.post(TOKEN, roomName=ROOM).json()["token"])["sub"] for _ in range(3)}
    assert len(subjects) == 3
    assert set(RoomToken.objects.values_list("identity", flat=True)) == subjects


def test_to_a_live_call_a_token_is_given_and_nothing_begins(alice: ApiClient, harbour: Organization) -> None:
    call = make_room_call(harbour)
    RoomAgent.objects.create(call=call, identity="ai-agent-1", voice="alloy", status="active")
    body = alice.post(TOKEN, roomName=ROOM, participantName="A. Lice", roomType="conference").json()
    assert (body["callId"], body["roomName"], body["participantName"]) == (str(call.pk), ROOM, "A. Lice")
    assert body["agentSpawned"] is True
    assert Call.objects.count() == 1


def test_a_room_without_an_agent_says_so(alice: ApiClient, harbour: Organization) -> None:
    call = make_room_call(harbour)
    RoomAgent.objects.create(call=call, identity="ai-agent-1", voice="alloy", status="disconnected")
    assert alice.post(TOKEN, roomName=ROOM).json()["agentSpawned"] is False


def test_a_named_room_begins_when_there_is_none(alice: ApiClient) -> None:
    body = alice.post(TOKEN, roomName="mine", roomType="conference", spawnAiAgent=False).json()
    assert (body["roomName"], body["agentSpawned"]) == ("mine", False)
    call = Call.objects.get()
    # Nothing in this answer would mention a recording.
    assert (call.call_type, call.is_recording_wanted) == ("conference", False)


def test_a_room_of_a_call_that_is_over_begins_anew(alice: ApiClient, harbour: Organization) -> None:
    call = make_room_call(harbour)
    end_room_call(call, reason=EndReason.ENDED_BY_REQUEST)
    assert alice.post(TOKEN, roomName=ROOM).json()["callId"] != str(call.pk)


def test_the_callee_comes_in_as_such(alice: ApiClient, bob: ApiClient) -> None:
    room = started(alice, callType="user-to-user", calleeId="user_bob")["roomName"]
    body = bob.post(TOKEN, roomName=room).json()
    assert body["participantName"] == "Callee"
    assert set(RoomToken.objects.values_list("subject", "role")) == {("user_alice", "caller"), ("user_bob", "callee")}


# A name is not given on while tokens for its last call still open it


@pytest.mark.parametrize("path", [SESSION, TOKEN])
def test_a_strangers_room_is_not_to_be_had_before_his_tokens_are_stale(
    alice: ApiClient, charlie: ApiClient, path: str
) -> None:
    started(alice, roomName="ours")
    alice.delete(SESSION, roomName="ours")
    assert refused(charlie.post(path, roomName="ours")) == TAKEN
    assert not Call.objects.live().exists()
    RoomToken.objects.update(created_at=timezone.now() - dt.timedelta(minutes=11))
    assert charlie.post(path, roomName="ours").status_code == 200


def test_the_callers_own_room_name_is_free_at_once(alice: ApiClient) -> None:
    for _ in range(2):
        started(alice, roomName="ours")
        alice.delete(SESSION, roomName="ours")


def test_a_colleague_who_was_in_the_conference_does_not_stay_for_the_private_call(
    alice: ApiClient, bob: ApiClient
) -> None:
    started(alice, roomName="ours", callType="conference")
    assert bob.post(TOKEN, roomName="ours").status_code == 200
    alice.delete(SESSION, roomName="ours")
    assert refused(alice.post(SESSION, roomName="ours")) == TAKEN
    assert alice.post(SESSION, roomName="ours", callType="conference").status_code == 200


# LiveKit's standard request


def test_livekits_standard_request_gets_livekits_standard_response(alice: ApiClient) -> None:
    answer = alice.post(TOKEN, room_name="mine", participant_name="Alice")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"server_url", "participant_token"}
    assert body["server_url"] == HOST
    claims = claims_of(body["participant_token"])
    assert (claims["video"]["room"], claims["name"]) == ("mine", "Alice")
    assert RoomAgent.objects.count() == 1


PRIVILEGES: dict[str, Any] = {
    "participant_identity": "user_bob",
    "participant_metadata": '{"role": "admin"}',
    "participant_attributes": {"role": "admin"},
    "room_config": {"agents": [{"agent_name": "somebody-elses"}], "max_participants": 1},
}


@pytest.mark.parametrize("name", PRIVILEGES)
def test_what_would_be_a_privilege_is_ignored(alice: ApiClient, name: str) -> None:
    body = alice.post(TOKEN, **{name: PRIVILEGES[name]}).json()
    claims = claims_of(body["participant_token"])
    assert claims["sub"].startswith("caller-")
    assert not {"metadata", "attributes", "roomConfig"} & set(claims)
    assert "somebody-elses" not in str(claims)


def test_a_client_that_fills_all_fields_with_nothing_is_answered(alice: ApiClient) -> None:
    body = alice.post(TOKEN, room_name=None, participant_name="", **dict.fromkeys(PRIVILEGES)).json()
    assert set(body) == {"server_url", "participant_token"}


@pytest.mark.parametrize("content", [b"{}", b"", b" { } "])
def test_a_body_without_fields_is_answered_in_both_shapes_at_once(alice: ApiClient, content: bytes) -> None:
    """LiveKit's stock client sends it for a room of its own: `TokenSource.endpoint(url).fetch({})`."""
    answer = alice.http.post(TOKEN, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == BOTH_SHAPES
    assert body["token"] == body["participantToken"] == body["participant_token"]
    assert body["livekitHost"] == body["serverUrl"] == body["server_url"] == HOST
    assert claims_of(body["token"])["video"]["room"] == body["roomName"]


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({"roomName": "mine"}, OURS),
        ({"spawnAiAgent": False}, OURS),
        ({"room_name": "mine"}, LIVEKITS),
        ({"room_name": None}, LIVEKITS),
        ({"room_config": {"agents": [{"agent_name": "a"}]}}, LIVEKITS),
    ],
)
def test_a_request_in_one_apis_fields_is_answered_in_that_ones(
    alice: ApiClient, fields: dict[str, Any], shape: set[str]
) -> None:
    assert set(alice.post(TOKEN, **fields).json()) == shape


# A call between two that names no recipient


def test_the_second_person_who_comes_with_the_rooms_name_is_the_callee(
    alice: ApiClient, bob: ApiClient, mia: ApiClient
) -> None:
    room = alice.post(TOKEN, roomType="user-to-user", spawnAiAgent=False).json()["roomName"]
    body = bob.post(TOKEN, roomName=room, roomType="user-to-user").json()
    call = Call.objects.get()
    assert (body["callId"], call.call_type, call.callee) == (str(call.pk), "user-to-user", "user_bob")
    assert set(RoomToken.objects.values_list("subject", "role")) == {("user_alice", "caller"), ("user_bob", "callee")}
    assert refused(mia.post(TOKEN, roomName=room)) == (403, "Access denied to this session")
    assert alice.post(TOKEN, roomName=room).status_code == bob.post(TOKEN, room_name=room).status_code == 200
    assert set(RoomToken.objects.values_list("subject", "role")) == {("user_alice", "caller"), ("user_bob", "callee")}


def test_the_caller_is_not_the_second_person(alice: ApiClient) -> None:
    room = alice.post(TOKEN, roomType="user-to-user").json()["roomName"]
    alice.post(TOKEN, roomName=room)
    assert Call.objects.get().callee == ""
    assert set(RoomToken.objects.exclude(role="agent").values_list("role", flat=True)) == {"caller"}


def test_a_stranger_is_not_the_second_person_though_he_knows_the_name(alice: ApiClient, charlie: ApiClient) -> None:
    room = alice.post(TOKEN, roomType="user-to-user").json()["roomName"]
    assert refused(charlie.post(TOKEN, roomName=room)) == (404, "Session not found")
    assert Call.objects.get().callee == ""


@pytest.mark.parametrize(("call_type", "status"), [("support", 403), ("conference", 200)])
def test_of_other_calls_the_second_person_is_no_callee(
    alice: ApiClient, bob: ApiClient, harbour: Organization, call_type: str, status: int
) -> None:
    call = make_room_call(harbour, call_type=call_type)
    assert bob.post(TOKEN, roomName=ROOM).status_code == status
    call.refresh_from_db()
    assert call.callee == ""


def test_the_named_recipient_is_not_replaced_by_the_second_to_join(
    bob: ApiClient, mia: ApiClient, harbour: Organization
) -> None:
    make_room_call(harbour, call_type="user-to-user", callee="user_bob")
    assert refused(mia.post(TOKEN, roomName=ROOM)) == (403, "Access denied to this session")
    assert bob.post(TOKEN, roomName=ROOM).json()["participantName"] == "Callee"


def test_people_without_an_organization_are_second_persons_of_each_other_alone(
    alice: ApiClient, live_server: LiveServer, clerk: ClerkInstance
) -> None:
    with (
        api_client(live_server.url, token_of(clerk, "user_dora", None)) as dora,
        api_client(live_server.url, token_of(clerk, "user_emil", None)) as emil,
    ):
        room = dora.post(TOKEN, roomType="user-to-user").json()["roomName"]
        assert refused(alice.post(TOKEN, roomName=room)) == (404, "Session not found")
        assert emil.post(TOKEN, roomName=room).json()["participantName"] == "Callee"
        assert Call.objects.get().callee == "user_emil"


# An API key acts for several people


def test_a_key_says_whose_token_it_is(website: ApiClient) -> None:
    room = website.post(TOKEN, roomType="user-to-user", role="caller").json()["roomName"]
    for role in ("callee", "caller", "callee"):
        assert website.post(TOKEN, roomName=room, role=role).status_code == 200
    roles = RoomToken.objects.exclude(role="agent").values_list("role", flat=True)
    assert list(roles) == ["caller", "callee", "caller", "callee"]


def test_a_person_says_no_other_role_than_their_own(alice: ApiClient, bob: ApiClient) -> None:
    room = started(alice, callType="user-to-user", calleeId="user_bob")["roomName"]
    assert alice.post(TOKEN, roomName=room, role="caller").status_code == 200
    assert bob.post(TOKEN, roomName=room, role="callee").status_code == 200
    for person, role in ((alice, "callee"), (bob, "caller")):
        assert refused(person.post(TOKEN, roomName=room, role=role)) == (403, "Access denied to this session")


def test_no_call_begins_with_its_callee(website: ApiClient) -> None:
    assert refused(website.post(TOKEN, role="callee")) == (404, "Session not found")
    assert not Call.objects.exists()


# Tokens are kept nowhere


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    kept = io.StringIO()
    handler = logging.StreamHandler(kept)
    logging.getLogger().addHandler(handler)
    yield kept
    logging.getLogger().removeHandler(handler)


def test_tokens_are_neither_logged_nor_stored(alice: ApiClient, bob: ApiClient, log: io.StringIO) -> None:
    session = started(alice, callType="conference")
    answers = [alice.post(TOKEN, roomName=session["roomName"]), bob.post(TOKEN, room_name=session["roomName"])]
    tokens = [session["token"], *(token_in(answer) for answer in answers)]
    stored = io.StringIO()
    call_command("dumpdata", "voice_sessions", stdout=stored)
    assert session["roomName"] in stored.getvalue()
    for token in tokens:
        for part in token.split("."):
            assert part == token.split(".")[0] or part not in stored.getvalue() + log.getvalue()


def token_in(answer: httpx.Response) -> str:
    body = answer.json()
    return str(body.get("token") or body["participant_token"])

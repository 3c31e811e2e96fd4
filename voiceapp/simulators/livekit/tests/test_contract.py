"""What the product expects of LiveKit: tested with the simulator and with a real livekit-server 1.13.5."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

import httpx
import jwt
import pytest
from livekit import api

from voiceapp.providers.livekit.client import NO_AGENT_NAME, AgentRequest, LiveKitClient, S3Storage
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind

AGENT = AgentRequest("nobody-runs-this-agent", metadata='{"callId": "1"}')


def kind_of(error: pytest.ExceptionInfo[LiveKitError]) -> LiveKitErrorKind:
    return error.value.kind


def validate(client: LiveKitClient, token: str) -> int:
    """The request of a browser's client before it joins."""
    parts = urlsplit(client.browser_url)
    url = urlunsplit((parts.scheme.replace("ws", "http"), parts.netloc, "/rtc/validate", "", ""))
    return httpx.get(
        url, params={"access_token": token}, trust_env=False, verify=client.browser_url.startswith("wss")
    ).status_code


def test_a_room_is_made_found_and_deleted(either: LiveKitClient, room: str) -> None:
    assert either.find_room(room) is None
    made = either.create_room(room, metadata='{"callId": "1"}', empty_timeout_s=60, departure_timeout_s=5)
    assert (made.name, made.metadata, made.participant_count, made.is_recorded) == (room, '{"callId": "1"}', 0, False)
    assert made.sid.startswith("RM_")
    assert made.created_at
    assert abs(datetime.now(UTC) - made.created_at) < timedelta(minutes=1)
    assert either.find_room(room) == made
    assert either.delete_room(room) is True
    assert either.find_room(room) is None


def test_rooms_are_listed_by_name_and_no_name_is_no_room(either: LiveKitClient, room: str) -> None:
    made = either.create_room(room)
    assert either.list_rooms([f"{room}-other", room]) == (made,)
    assert either.list_rooms([]) == ()


def test_an_open_room_that_is_made_again_is_returned_unchanged(either: LiveKitClient, room: str) -> None:
    first = either.create_room(room, metadata="first")
    second = either.create_room(room, metadata="second")
    assert second == first
    assert either.find_room(room) == first


def test_deleting_a_missing_room_is_no_error(either: LiveKitClient, room: str) -> None:
    assert either.delete_room(room) is False


def test_a_new_room_and_a_missing_room_have_no_participants(either: LiveKitClient, room: str) -> None:
    assert either.list_participants(room) == ()
    either.create_room(room)
    assert either.list_participants(room) == ()
    assert either.remove_participant(room, "nobody") is False


def test_the_client_rejects_a_room_without_a_name_that_livekit_would_create(either: LiveKitClient) -> None:
    with pytest.raises(LiveKitError) as error:
        either.create_room("")
    assert (kind_of(error), error.value.permanent) == (LiveKitErrorKind.BAD_INPUT, True)
    try:
        assert either._request(either._api.room.create_room(api.CreateRoomRequest(name=""))).sid.startswith("RM_")
    finally:
        either._request(either._api.room.delete_room(api.DeleteRoomRequest(room="")))


def test_a_dispatch_is_accepted_although_no_worker_is_there(either: LiveKitClient, room: str) -> None:
    either.create_room(room)
    dispatch = either.create_dispatch(room, AGENT)
    assert (dispatch.agent_name, dispatch.room, dispatch.metadata) == (AGENT.agent_name, room, AGENT.metadata)
    assert dispatch.id.startswith("AD_")
    assert [each.id for each in either.list_dispatches(room)] == [dispatch.id]
    found = either.get_dispatch(room, dispatch.id)
    assert found
    assert found.jobs == ()
    assert either.delete_dispatch(room, dispatch.id) is True
    assert either.delete_dispatch(room, dispatch.id) is False
    assert either.get_dispatch(room, dispatch.id) is None


def test_a_room_is_made_together_with_its_dispatch_but_only_when_it_is_new(either: LiveKitClient, room: str) -> None:
    either.create_room(room, agent=AGENT)
    either.create_room(room, agent=AgentRequest("another"))
    assert [each.agent_name for each in either.list_dispatches(room)] == [AGENT.agent_name]


def test_without_redis_recordings_fail_at_once(either: LiveKitClient, room: str) -> None:
    either.create_room(room)
    began_s = time.monotonic()
    with pytest.raises(LiveKitError) as error:
        either.start_room_recording(room, filepath="a.ogg", file_type="ogg", storage=S3Storage("b", "r", "k", "s"))
    assert (kind_of(error), error.value.permanent) == (LiveKitErrorKind.NO_RECORDER, True)
    with pytest.raises(LiveKitError) as error:
        either.list_recordings(room)
    assert kind_of(error) is LiveKitErrorKind.NO_RECORDER
    assert time.monotonic() - began_s < 10  # of the 21 s for which LiveKit looks for a recorder
    with pytest.raises(LiveKitError) as error:
        either.stop_recording("EG_unknown")
    assert kind_of(error) is LiveKitErrorKind.NO_RECORDER


def test_a_wrong_secret_and_an_unknown_key_are_rejected(either: LiveKitClient, room: str) -> None:
    wrong = LiveKitClient(url=either._url, api_key=either._api_key, api_secret="w" * 32)
    unknown = LiveKitClient(url=either._url, api_key="APIunknown", api_secret="w" * 32)
    for client in (wrong, unknown):
        with pytest.raises(LiveKitError) as error:
            client.create_room(room)
        assert (kind_of(error), error.value.permanent) == (LiveKitErrorKind.CREDENTIALS_REFUSED, True)


def test_tokens_of_persons_and_agents_open_the_room(either: LiveKitClient, room: str) -> None:
    either.create_room(room)
    assert validate(either, either.join_token(room=room, identity="user-1-x", name="Alice")) == 200
    assert validate(either, either.agent_token(room=room, identity="ai-agent-1")) == 200


def test_a_persons_token_has_no_other_grant(either: LiveKitClient, room: str) -> None:
    token = either.join_token(room=room, identity="user-1-x", name="Alice")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["video"] == {
        "roomJoin": True,
        "room": room,
        "canSubscribe": True,
        "canPublish": True,
        "canPublishSources": ["microphone"],
        "canPublishData": False,
        "canUpdateOwnMetadata": False,
    }
    assert (claims["sub"], claims["name"], claims["exp"] - claims["nbf"]) == ("user-1-x", "Alice", 600)
    assert "roomConfig" not in claims
    url = f"{either._url.replace('ws', 'http', 1)}/twirp/livekit.RoomService/DeleteRoom"
    response = httpx.post(url, json={"room": room}, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")


ALL_GRANTS = {"roomCreate": True, "roomList": True, "roomRecord": True, "roomAdmin": True, "room": "none"}


@pytest.mark.parametrize(
    ("method", "body", "status", "code", "message"),
    [
        ("RoomService/CreateRoom", {"name": "n" * 257}, 400, "invalid_argument", "room name length exceeds limits"),
        ("RoomService/CreateRoom", "{not json", 400, "malformed", "the json request could not be decoded"),
        ("RoomService/CreateRoom", '{"name": 12}', 400, "malformed", "the json request could not be decoded"),
        ("RoomService/DeleteRoom", {"room": "none"}, 404, "not_found", "requested room does not exist"),
        ("RoomService/GetParticipant", {"room": "none"}, 404, "not_found", "participant does not exist"),
        ("RoomService/RemoveParticipant", {"room": "none"}, 404, "not_found", "participant does not exist"),
        ("RoomService/FlyToTheMoon", {}, 404, "bad_route", "no handler for path"),
        ("AgentDispatchService/ListDispatch", {"room": "none"}, 503, "unavailable", "no response from servers"),
        ("Egress/StartRoomCompositeEgress", {"room_name": "none"}, 404, "not_found", "requested room does not exist"),
        ("Egress/ListEgress", {}, 500, "internal", "egress not connected (redis required)"),
    ],
)
def test_errors_are_the_same_on_both_servers(
    either: LiveKitClient, method: str, body: dict[str, str] | str, status: int, code: str, message: str
) -> None:
    now_s = int(time.time())
    claims = {"iss": either._api_key, "nbf": now_s, "exp": now_s + 60, "video": ALL_GRANTS}
    token = jwt.encode(claims, either._api_secret, algorithm="HS256")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    content = body if isinstance(body, str) else json.dumps(body)
    url = f"{either._url.replace('ws', 'http', 1)}/twirp/livekit.{method}"
    refused = httpx.post(url, content=content, headers=headers, trust_env=False, timeout=10)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert message in refused.json()["msg"]
    assert refused.json()["msg"].startswith("twirp error unknown: ") is (code not in ("malformed", "bad_route"))


@pytest.mark.parametrize(
    ("identity", "room_name", "status"),
    [("", "r", 400), ("i" * 257, "r", 400), ("alice", "", 400), ("alice", "r" * 257, 400), ("alice", "r", 200)],
)
def test_a_token_without_an_identity_or_a_room_is_bad_input(
    either: LiveKitClient, identity: str, room_name: str, status: int
) -> None:
    now_s = int(time.time())
    video = {"roomJoin": True, "room": room_name}
    claims = {"iss": either._api_key, "sub": identity, "nbf": now_s, "exp": now_s + 60, "video": video}
    assert validate(either, jwt.encode(claims, either._api_secret, algorithm="HS256")) == status


def test_a_token_that_has_expired_or_was_changed_opens_nothing(either: LiveKitClient, room: str) -> None:
    either.create_room(room)
    assert validate(either, either.join_token(room=room, identity="user-1-x", ttl_s=-120)) == 401
    token = either.join_token(room=room, identity="user-1-x")
    assert validate(either, token[:-4] + ("aaaa" if token[-4:] != "aaaa" else "bbbb")) == 401


def test_a_room_that_is_made_without_an_agent_has_a_named_dispatch_all_the_same(
    either: LiveKitClient, room: str
) -> None:
    either.create_room(room)
    listed = either._request(either._api.agent_dispatch.list_dispatch(room))
    assert [each.agent_name for each in listed] == [NO_AGENT_NAME]
    assert either.list_dispatches(room) == ()

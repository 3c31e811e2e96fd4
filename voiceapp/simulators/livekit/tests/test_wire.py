"""The simulator of LiveKit on the wire: JSON and protobuf, a grant for each method, the errors of the real server."""

from __future__ import annotations

from typing import Any

import httpx
import jwt
import pytest

from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET, RunningLiveKit
from voiceapp.simulators.livekit.tokens import ApiKeyPair

KEYS = ApiKeyPair(API_KEY, API_SECRET)
ALL = {"roomCreate": True, "roomList": True, "roomRecord": True, "roomAdmin": True, "room": "r"}


def call(
    livekit: RunningLiveKit, method: str, body: dict[str, Any] | str, *, grants: dict[str, Any] | None = None
) -> httpx.Response:
    token = KEYS.sign({"video": ALL if grants is None else grants}, valid_s=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    content = body if isinstance(body, str) else None
    given = {"content": content} if content is not None else {"json": body}
    with httpx.Client(trust_env=False, verify=False) as http:
        return http.post(f"{livekit.url}/twirp/livekit.{method}", headers=headers, **given)


def test_a_json_request_gets_a_json_response(livekit: RunningLiveKit) -> None:
    made = call(livekit, "RoomService/CreateRoom", {"name": "r", "emptyTimeout": 7, "metadata": "m"})
    assert made.headers["Content-Type"].startswith("application/json")
    room = made.json()
    assert (room["name"], room["empty_timeout"], room["departure_timeout"], room["num_participants"]) == ("r", 7, 20, 0)
    assert call(livekit, "RoomService/ListRooms", {"names": ["r", "s"]}).json()["rooms"][0]["sid"] == room["sid"]
    assert call(livekit, "RoomService/UpdateRoomMetadata", {"room": "r", "metadata": "n"}).json()["metadata"] == "n"


@pytest.mark.parametrize(
    ("method", "body", "grant"),
    [
        ("RoomService/CreateRoom", {"name": "r"}, "roomCreate"),
        ("RoomService/DeleteRoom", {"room": "r"}, "roomCreate"),
        ("RoomService/ListRooms", {}, "roomList"),
        ("RoomService/ListParticipants", {"room": "r"}, "roomAdmin"),
        ("RoomService/GetParticipant", {"room": "r", "identity": "i"}, "roomAdmin"),
        ("RoomService/RemoveParticipant", {"room": "r", "identity": "i"}, "roomAdmin"),
        ("RoomService/UpdateRoomMetadata", {"room": "r"}, "roomAdmin"),
        ("AgentDispatchService/CreateDispatch", {"room": "r", "agent_name": "a"}, "roomAdmin"),
        ("AgentDispatchService/ListDispatch", {"room": "r"}, "roomAdmin"),
        ("AgentDispatchService/DeleteDispatch", {"room": "r"}, "roomAdmin"),
        ("Egress/StartRoomCompositeEgress", {"room_name": "r"}, "roomRecord"),
        ("Egress/StopEgress", {"egress_id": "e"}, "roomRecord"),
        ("Egress/ListEgress", {}, "roomRecord"),
    ],
)
def test_each_method_needs_its_grant_for_its_room(
    livekit: RunningLiveKit, method: str, body: dict[str, Any], grant: str
) -> None:
    without = {name: value for name, value in ALL.items() if name != grant}
    wrong = [without, {}, *([ALL | {"room": "another"}] if grant == "roomAdmin" else [])]
    for grants in wrong:
        refused = call(livekit, method, body, grants=grants)
        assert (refused.status_code, refused.json()) == (401, {"code": "unauthenticated", "msg": "permissions denied"})
    assert call(livekit, method, body).json().get("code") != "unauthenticated"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Basic abc", "invalid authorization header"),
        ("Bearer abc", "invalid authorization token"),
        (f"Bearer {jwt.encode({'iss': 'APIother'}, 's' * 32)}", "invalid API key: APIother"),
        (f"Bearer {jwt.encode({'iss': API_KEY}, 's' * 32)}", "invalid token"),
        (f"Bearer {KEYS.sign({'video': ALL}, valid_s=-120)}", "invalid token"),
    ],
)
def test_a_wrong_token_is_rejected_in_plain_text(livekit: RunningLiveKit, header: str, message: str) -> None:
    with httpx.Client(trust_env=False, verify=False) as http:
        url = f"{livekit.url}/twirp/livekit.RoomService/ListRooms"
        refused = http.post(url, json={}, headers={"Authorization": header})
        anonymous = http.post(url, json={})
    assert (refused.status_code, refused.headers["Content-Type"].split(";")[0]) == (401, "text/plain")
    assert message in refused.text
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("method", "body", "status", "code"),
    [
        ("RoomService/CreateRoom", {"name": "n" * 257}, 400, "invalid_argument"),
        ("RoomService/CreateRoom", {"name": "n", "metadata": "m" * 64_001}, 400, "invalid_argument"),
        ("RoomService/CreateRoom", "{not json", 400, "malformed"),
        ("RoomService/CreateRoom", '{"name": 12}', 400, "malformed"),
        ("RoomService/DeleteRoom", {"room": "none"}, 404, "not_found"),
        ("RoomService/GetParticipant", {"room": "r", "identity": "i"}, 404, "not_found"),
        ("RoomService/FlyToTheMoon", {}, 404, "bad_route"),
        ("RoomService/SendData", {}, 501, "unimplemented"),
        ("AgentDispatchService/ListDispatch", {"room": "r"}, 503, "unavailable"),
        ("Egress/StartRoomCompositeEgress", {"room_name": "none"}, 404, "not_found"),
        ("Egress/StopEgress", {"egress_id": "none"}, 404, "not_found"),
    ],
)
def test_twirp_errors(livekit: RunningLiveKit, method: str, body: dict[str, Any] | str, status: int, code: str) -> None:
    refused = call(livekit, method, body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_a_recording_needs_an_output(livekit: RunningLiveKit) -> None:
    call(livekit, "RoomService/CreateRoom", {"name": "r"})
    refused = call(livekit, "Egress/StartRoomCompositeEgress", {"room_name": "r"})
    assert (refused.status_code, refused.json()["msg"]) == (
        400,
        "twirp error unknown: request has missing or invalid field: output",
    )


def test_a_token_brings_its_agent_only_to_a_new_room(livekit: RunningLiveKit) -> None:
    claims = {
        "sub": "alice",
        "video": {"roomJoin": True, "room": "r"},
        "roomConfig": {"agents": [{"agentName": "voice-agent"}], "emptyTimeout": 9},
    }
    for identity in ("alice", "bob"):
        livekit.join(KEYS.sign({**claims, "sub": identity}, valid_s=60))
    (state,) = livekit.control("GET", "state")["rooms"]
    assert [each["agentName"] for each in state["dispatches"]] == ["voice-agent"]
    assert state["room"]["emptyTimeout"] == 9


def test_faults_stay_with_the_room_and_an_unknown_one_is_named(livekit: RunningLiveKit) -> None:
    livekit.control("PUT", "faults", json={"faults": ["agent_never", "webhook_late=3"]})
    call(livekit, "RoomService/CreateRoom", {"name": "r"})
    assert livekit.control("GET", "state")["rooms"][0]["faults"] == ["agent_never", "webhook_late=3"]
    with httpx.Client(trust_env=False, verify=False) as http:
        unknown = http.post(f"{livekit.url}/fault/flood/twirp/livekit.RoomService/ListRooms", json={})
    assert (unknown.status_code, "unknown fault 'flood'" in unknown.json()["msg"]) == (404, True)
    with pytest.raises(ValueError):
        LiveKitFaults.parse(["slow=very"])


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("join", "[]", 400),
        ("join", "{", 400),
        ("join", '{"token": 1}', 401),
        ("clock", '{"advance_s": "long"}', 400),
        ("egress/none", '{"status": "EGRESS_FAILED"}', 404),
        ("egress/none", '{"status": "SAD"}', 400),
        ("rooms/none/participants/x/leave", "", 404),
        ("webhooks", '{"event": {}}', 400),
        ("webhooks/7/send-again", "", 404),
    ],
)
def test_the_control_api_rejects_invalid_requests(livekit: RunningLiveKit, path: str, body: str, status: int) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        livekit.control("POST", path, content=body)
    assert refused.value.response.status_code == status
    assert refused.value.response.json()["error"]


@pytest.mark.parametrize(("path", "status"), [("rtc/v1/validate", 404), ("rtc/validate", 401)])
def test_pages_of_any_address_may_read_what_their_client_falls_back_from(
    livekit: RunningLiveKit, path: str, status: int
) -> None:
    response = httpx.get(f"{livekit.url}/{path}", headers={"Origin": "http://127.0.0.1:8080"}, trust_env=False)
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (status, "*")

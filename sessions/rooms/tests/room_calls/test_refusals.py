"""Bad input for sessions and tokens: 400, and nothing is written."""

from __future__ import annotations

import json

import pytest
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.people import ApiClient, refused
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.tests.builders import ROOM, make_room_call

from .api_requests import SESSION, TOKEN

BAD = "Bad Request"
BAD_NAMES: list[object] = ["", None, 5, ["x"], {}, "x" * 101, "a room", "raum-ü", "a/b", "..\\x", "a\n", " a"]


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ({"callType": "private"}, "Invalid call type"),
        ({"callType": "Support"}, "Invalid call type"),
        ({"callType": None}, "Invalid call type"),
        ({"callType": ["support"]}, "Invalid call type"),
        ({"callType": "user-to-user"}, BAD),
        ({"callType": "user-to-user", "calleeId": ""}, BAD),
        ({"callType": "user-to-user", "calleeId": None}, BAD),
        ({"callType": "user-to-user", "calleeId": 7}, BAD),
        ({"callType": "user-to-user", "calleeId": "x" * 101}, BAD),
        ({"callType": "user-to-user", "calleeId": "user_alice"}, BAD),
        ({"enableRecording": "yes"}, BAD),
        ({"enableRecording": 1}, BAD),
        ({"enableAiAgent": None}, BAD),
        ({"enableAiAgent": "false"}, BAD),
        ({"systemPrompt": 5}, BAD),
        ({"systemPrompt": "x" * 32_001}, BAD),
        ({"voice": "marin"}, BAD),
        ({"voice": 1}, BAD),
        ({"model": "gpt-realtime"}, BAD),
        ({"roomname": ROOM}, BAD),
        *[({"roomName": name}, "Invalid roomName") for name in BAD_NAMES],
    ],
)
def test_a_call_is_not_started_by_a_bad_body(alice: ApiClient, body: dict[str, object], title: str) -> None:
    assert refused(alice.post(SESSION, **body)) == (400, title)
    assert not Call.objects.exists()


@pytest.mark.parametrize("path", [SESSION, TOKEN])
@pytest.mark.parametrize(
    "content",
    ["[]", "7", '"support"', "null", "{", '{"systemPrompt": "nul \\u0000"}', '{"roomName": "\\ud800"}', "[" * 5000],
)
def test_what_is_no_object_is_400(alice: ApiClient, path: str, content: str) -> None:
    answer = alice.http.post(path, content=content, headers={"Content-Type": "application/json"})
    assert refused(answer)[0] == 400
    assert not Call.objects.exists()


@pytest.mark.parametrize(("method", "path"), [("PUT", SESSION), ("GET", TOKEN), ("PATCH", TOKEN), ("DELETE", TOKEN)])
def test_methods_that_are_not_there_are_405(alice: ApiClient, method: str, path: str) -> None:
    assert refused(alice.http.request(method, path, json={}))[0] == 405


@pytest.mark.parametrize("path", [SESSION, TOKEN])
def test_other_media_types_are_415(alice: ApiClient, path: str) -> None:
    assert refused(alice.http.post(path, data={"roomName": ROOM}))[0] == 415


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ({}, "Missing roomName"),
        ({"status": "completed"}, "Missing roomName"),
        ({"roomName": 5, "status": "completed"}, "Missing roomName"),
        ({"roomName": ROOM}, "Nothing to update"),
        ({"roomName": ROOM, "status": "over"}, "Invalid status"),
        ({"roomName": ROOM, "status": None}, "Invalid status"),
        ({"roomName": ROOM, "agentStatus": "gone"}, "Invalid status"),
        ({"roomName": ROOM, "agentStatus": 1}, "Invalid status"),
        ({"roomName": ROOM, "metadata": None}, BAD),
        ({"roomName": ROOM, "metadata": [1]}, BAD),
        ({"roomName": ROOM, "metadata": "{}"}, BAD),
        ({"roomName": ROOM, "metadata": {"a": "x" * 8185}}, BAD),
        ({"roomName": ROOM, "metadata": {"a": "ü" * 4096}}, BAD),
        ({"roomName": ROOM, "metadata": {"a\x00": 1}}, BAD),
        ({"roomName": ROOM, "status": "completed", "callee": "user_charlie"}, BAD),
    ],
)
def test_a_call_is_not_changed_by_a_bad_body(
    alice: ApiClient, harbour: Organization, body: dict[str, object], title: str
) -> None:
    call = make_room_call(harbour)
    assert refused(alice.patch(SESSION, **body)) == (400, title)
    call.refresh_from_db()
    assert (call.state, call.metadata, call.callee) == ("connected", {}, "")


def test_metadata_may_be_eight_kilobytes(alice: ApiClient, harbour: Organization) -> None:
    make_room_call(harbour)
    metadata = {"a": "x" * 8183, "n": 1}
    assert len(json.dumps(metadata, separators=(",", ":"))) > 8192
    assert alice.patch(SESSION, roomName=ROOM, metadata=metadata).status_code == 400
    assert alice.patch(SESSION, roomName=ROOM, metadata={"a": "x" * 8184}).status_code == 200
    assert alice.patch(SESSION, roomName=ROOM, metadata={"b": [1, {"c": None}]}).status_code == 200
    assert Call.objects.get().metadata == {"b": [1, {"c": None}]}


@pytest.mark.parametrize("query", ["", "roomName=", "roomName=a%20b", "roomName=%00"])
def test_a_call_is_not_ended_without_its_rooms_name(alice: ApiClient, query: str) -> None:
    assert refused(alice.http.delete(f"{SESSION}?{query}")) == (400, "Missing roomName")


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("status=over", "Invalid status"),
        ("status=", "Invalid status"),
        ("status=completed&status=missed", BAD),
        ("limit=0", BAD),
        ("limit=-1", BAD),
        ("limit=ten", BAD),
        ("limit=1.5", BAD),
        ("limit=" + "9" * 2000, BAD),
        ("offset=-1", BAD),
        ("offset=99999999999999999999", BAD),
        ("roomName=", "Missing roomName"),
        ("room=x", BAD),
    ],
)
def test_a_bad_query_is_refused(alice: ApiClient, query: str, title: str) -> None:
    assert refused(alice.http.get(f"{SESSION}?{query}")) == (400, title)


@pytest.mark.parametrize(
    "body",
    [
        {"roomType": "private"},
        {"role": "agent"},
        {"role": "member"},
        {"role": None},
        {"role": ["caller"]},
        {"room_name": ROOM, "role": "caller"},
        {"spawnAiAgent": "yes"},
        {"participantName": 5},
        {"participantName": "x" * 121},
        {"callType": "support"},
        *[{"roomName": name} for name in BAD_NAMES],
        {"room_name": "a room"},
        {"room_name": 5},
        {"participant_name": 5},
        {"participant_name": "x" * 121},
        {"participant_identity": 5},
        {"participant_metadata": {}},
        {"participant_attributes": []},
        {"participant_attributes": {"a": 1}},
        {"room_config": "x"},
        {"room_name": ROOM, "room": "x"},
        {"room_name": ROOM, "roomName": ROOM},
        {"participant_name": "Alice", "roomType": "support"},
    ],
)
def test_no_token_is_given_for_a_bad_body(alice: ApiClient, body: dict[str, object]) -> None:
    assert refused(alice.post(TOKEN, **body))[0] == 400
    assert not Call.objects.exists()


def test_without_livekit_configured_nothing_is_written(
    alice: ApiClient, harbour: Organization, settings: Settings
) -> None:
    make_room_call(harbour)
    settings.LIVEKIT_API_SECRET = ""
    for path, body in ((SESSION, {}), (TOKEN, {}), (TOKEN, {"roomName": ROOM}), (TOKEN, {"room_name": "x"})):
        answer = alice.post(path, **body)
        assert refused(answer) == (503, "Voice service not configured")
    assert (Call.objects.count(), OutboxMessage.objects.count()) == (1, 0)


def test_starting_is_limited_and_ending_never(alice: ApiClient, harbour: Organization, settings: Settings) -> None:
    settings.LIMIT_SESSION_CREATION = "1/h"
    settings.LIMIT_READ = "1/h"
    make_room_call(harbour)
    answers = [alice.post(SESSION), alice.post(SESSION), alice.post(TOKEN)]
    assert [each.status_code for each in answers] == [200, 429, 429]
    assert answers[0].headers["X-RateLimit-Remaining"] == "0"
    assert set(answers[1].json()) == {"error", "message", "retryAfter", "limit", "remaining", "reset"}
    assert [alice.get(SESSION).status_code, alice.get(SESSION, roomName=ROOM).status_code] == [200, 429]
    ends = [alice.delete(SESSION, roomName=ROOM) for _ in range(3)]
    assert {each.status_code for each in ends} == {200}
    assert "X-RateLimit-Limit" not in ends[0].headers

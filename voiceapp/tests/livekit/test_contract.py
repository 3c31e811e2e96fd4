"""What the product takes for granted of any LiveKit: held against the local one, and a real one where one is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

import httpx
import jwt
import pytest

from voiceapp.providers.livekit import NO_AGENT_NAME, AgentRequest, LiveKitClient, S3Storage
from voiceapp.providers.livekit_errors import LiveKitError, LiveKitErrorKind

AGENT = AgentRequest("nobody-runs-this-agent", metadata='{"callId": "1"}')


def kind_of(error: pytest.ExceptionInfo[LiveKitError]) -> LiveKitErrorKind:
    return error.value.kind


def validate(client: LiveKitClient, token: str) -> int:
    """As a browser's client asks before it joins."""
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


def test_rooms_are_asked_about_by_name_and_no_name_is_none_of_them(either: LiveKitClient, room: str) -> None:
    made = either.create_room(room)
    assert either.list_rooms([f"{room}-other", room]) == (made,)
    assert either.list_rooms([]) == ()


def test_making_a_room_again_changes_the_one_there_is(either: LiveKitClient, room: str) -> None:
    first = either.create_room(room, metadata="first")
    second = either.create_room(room, metadata="second")
    assert (second.sid, second.metadata) == (first.sid, "second")


def test_deleting_a_room_that_is_not_there_is_no_error(either: LiveKitClient, room: str) -> None:
    assert either.delete_room(room) is False


def test_nobody_is_in_a_new_room_or_in_none(either: LiveKitClient, room: str) -> None:
    assert either.list_participants(room) == ()
    either.create_room(room)
    assert either.list_participants(room) == ()
    assert either.remove_participant(room, "nobody") is False


def test_a_room_without_a_name_is_bad_input(either: LiveKitClient) -> None:
    with pytest.raises(LiveKitError) as error:
        either.create_room("")
    assert (kind_of(error), error.value.permanent) == (LiveKitErrorKind.BAD_INPUT, True)


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


def test_recording_without_redis_is_away(either: LiveKitClient, room: str) -> None:
    either.create_room(room)
    with pytest.raises(LiveKitError) as error:
        either.start_room_recording(room, filepath="a.ogg", file_type="ogg", storage=S3Storage("b", "r", "k", "s"))
    assert (kind_of(error), error.value.permanent) == (LiveKitErrorKind.AWAY, False)
    with pytest.raises(LiveKitError) as error:
        either.list_recordings(room)
    assert kind_of(error) is LiveKitErrorKind.AWAY


def test_a_wrong_secret_and_an_unknown_key_are_refused_credentials(either: LiveKitClient, room: str) -> None:
    wrong = LiveKitClient(url=either._url, api_key=either._api_key, api_secret="w" * 32)
    unknown = LiveKitClient(url=either._url, api_key="APIunknown", api_secret="w" * 32)
    for client in (wrong, unknown):
        with pytest.raises(LiveKitError) as error:
            client.create_room(room)
        assert (kind_of(error), error.value.permanent) == (LiveKitErrorKind.CREDENTIALS_REFUSED, True)


def test_a_persons_token_and_an_agents_are_good_for_joining(either: LiveKitClient, room: str) -> None:
    either.create_room(room)
    assert validate(either, either.join_token(room=room, identity="user-1-x", name="Alice")) == 200
    assert validate(either, either.agent_token(room=room, identity="ai-agent-1")) == 200


def test_a_persons_token_is_good_for_nothing_else(either: LiveKitClient, room: str) -> None:
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
    answer = httpx.post(url, json={"room": room}, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_a_token_that_has_expired_or_was_changed_opens_nothing(either: LiveKitClient, room: str) -> None:
    either.create_room(room)
    assert validate(either, either.join_token(room=room, identity="user-1-x", ttl_s=-120)) == 401
    token = either.join_token(room=room, identity="user-1-x")
    assert validate(either, token[:-4] + ("aaaa" if token[-4:] != "aaaa" else "bbbb")) == 401


def test_a_room_that_is_made_without_an_agent_has_a_named_dispatch_all_the_same(
    either: LiveKitClient, room: str
) -> None:
    either.create_room(room)
    listed = either._ask(either._api.agent_dispatch.list_dispatch(room))
    assert [each.agent_name for each in listed] == [NO_AGENT_NAME]
    assert either.list_dispatches(room) == ()

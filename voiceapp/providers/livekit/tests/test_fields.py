"""LiveKit's limits of names, identities and metadata: checked by the client before sending, and by the simulator."""

from __future__ import annotations

import httpx
import jwt
import pytest

from voiceapp.providers.livekit.client import AgentRequest, LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind
from voiceapp.providers.livekit.fields import MAX_METADATA_BYTES, MAX_NAME_BYTES
from voiceapp.simulators.livekit import limits
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET, RunningLiveKit

LONG = "ü" * 129
AGENT = AgentRequest("agent")


def test_client_and_simulator_have_the_same_limits() -> None:
    assert (MAX_NAME_BYTES, MAX_METADATA_BYTES) == (limits.MAX_NAME_BYTES, limits.MAX_METADATA_BYTES)


@pytest.fixture
def nowhere() -> LiveKitClient:
    """Nothing listens there: what is refused was never sent."""
    return LiveKitClient(url="http://127.0.0.1:9", api_key=API_KEY, api_secret=API_SECRET)


def test_what_livekit_refuses_is_not_sent(nowhere: LiveKitClient) -> None:
    for send in (
        lambda: nowhere.create_room(""),
        lambda: nowhere.create_room(LONG),
        lambda: nowhere.create_room("room", metadata="x" * 64_001),
        lambda: nowhere.create_room("room", empty_timeout_s=-1),
        lambda: nowhere.create_room("room", departure_timeout_s=2**32),
        lambda: nowhere.create_room("room", agent=AgentRequest("agent", metadata="ü" * 32_001)),
        lambda: nowhere.create_dispatch("room", AgentRequest("")),
        lambda: nowhere.create_dispatch("", AGENT),
        lambda: nowhere.join_token(room="room", identity=""),
        lambda: nowhere.join_token(room="room", identity=LONG),
        lambda: nowhere.agent_token(room="", identity="agent"),
    ):
        with pytest.raises(LiveKitError) as refused:
            send()
        assert refused.value.kind is LiveKitErrorKind.BAD_INPUT


def test_a_name_that_people_read_is_cut_at_a_character(nowhere: LiveKitClient) -> None:
    token = nowhere.join_token(room="room", identity="caller", name="a" + "ü" * 200)
    name = jwt.decode(token, API_SECRET, algorithms=["HS256"])["name"]
    assert name == "a" + "ü" * 127


@pytest.mark.parametrize(("identity", "name"), [("x" * 257, ""), ("caller", "ü" * 129)])
def test_the_simulator_admits_no_participant_whose_identity_or_name_is_too_long(
    identity: str, name: str, client: LiveKitClient, livekit: RunningLiveKit, room: str
) -> None:
    client.create_room(room)
    claims = {"iss": API_KEY, "sub": identity, "name": name, "video": {"roomJoin": True, "room": room}}
    token = jwt.encode(claims, API_SECRET, algorithm="HS256")
    url = f"{livekit.url.replace('ws', 'http', 1)}/local/join"
    response = httpx.post(url, json={"token": token}, trust_env=False)
    assert response.status_code == 400
    assert "exceeds limits" in response.text

"""`room: {auto_create: false}`, as docs/reference/livekit.md recommends: only our own request makes a room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from voiceapp.providers.livekit.client import AgentRequest
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind
from voiceapp.simulators.livekit.tests.conftest import SIDES
from voiceapp.simulators.livekit.tests.sides import Side, simulator, started_server
from voiceapp.tests.livekit_server import why_not_there


@pytest.fixture(params=SIDES)
def strict(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    if request.param == "simulator":
        with simulator(auto_create=False) as side:
            yield side
        return
    if reason := why_not_there():
        pytest.skip(reason)
    with started_server(tmp_path, auto_create=False) as side:
        yield side


def test_neither_a_token_nor_a_dispatch_opens_the_room_of_a_call_that_is_over(strict: Side, room: str) -> None:
    client = strict.client
    client.create_room(room)
    token = client.join_token(room=room, identity="caller-alice")
    strict.join(token)
    client.delete_room(room)
    url = client.browser_url.replace("ws", "http", 1)
    assert httpx.get(f"{url}/rtc/validate", params={"access_token": token}, trust_env=False).status_code == 404
    with pytest.raises(Exception):  # noqa: B017  # each side's client has its own
        strict.join(token)
    with pytest.raises(LiveKitError) as error:
        client.create_dispatch(room, AgentRequest("nobody-runs-this-agent"))
    assert error.value.kind is LiveKitErrorKind.UNAVAILABLE
    assert client.find_room(room) is None

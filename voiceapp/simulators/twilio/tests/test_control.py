"""The control API: calls placed, reported, recorded and ended over HTTP."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from voiceapp.simulators.twilio import TwilioSimulator
from voiceapp.simulators.twilio.tests.fake_application import ACCOUNT_SID, AUTH_TOKEN, FakeApplication, echo

pytestmark = pytest.mark.asyncio

ALICE, LINE = "+15550001111", "+15550002222"


@pytest_asyncio.fixture
async def control(server: TwilioSimulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.base_url) as session:
        yield session


async def place(control: aiohttp.ClientSession, prefix: str = "", **call: Any) -> dict[str, Any]:
    async with control.post(f"{prefix}/local/calls", json={"from": ALICE, "to": LINE, **call}) as response:
        return {"status": response.status, **await response.json()}


async def test_a_call_is_placed_recorded_and_reported(
    control: aiohttp.ClientSession, application: FakeApplication
) -> None:
    application.twiml["/voice"] = application.stream()
    application.on_message = echo
    placed = await place(
        control,
        voice_url=application.voice_url,
        status_callback=f"{application.base_url}/status",
        words_per_minute=200,
        steps=[{"wait_s": 0.3}, {"say": "Hello.", "listen": False}, {"wait_s": 0.3}, {"hang_up": True}],
    )
    async with control.get(f"/local/calls/{placed['sid']}", params={"wait_s": "20"}) as response:
        report = await response.json()
    assert (placed["status"], report["status"], report["ended_by"], report["is_done"]) == (
        201,
        "completed",
        "caller",
        True,
    )
    assert report["caller_speech"][0]["text"] == "Hello."
    assert report["agent_speech"]
    assert report["callback_statuses"] == [200]
    assert application.requests_of("/status")[0].params["CallStatus"] == "completed"
    async with control.get(f"/local/calls/{placed['sid']}/recording.wav") as response:
        with wave.open(io.BytesIO(await response.read())) as file:
            assert file.getnframes() == report["line_ms"] * 8
    async with control.get("/local/calls") as response:
        assert [call["done"] for call in (await response.json())["calls"]] == [True]


async def test_a_call_gets_more_steps_and_is_hung_up(
    control: aiohttp.ClientSession, application: FakeApplication
) -> None:
    application.twiml["/voice"] = application.stream()
    placed = await place(control, voice_url=application.voice_url, steps=[{"wait_s": 0.2}])
    sid = placed["sid"]
    async with control.post(
        f"/local/calls/{sid}/steps", json={"steps": [{"press": "7"}, {"hang_up": True}]}
    ) as response:
        assert response.status == 202
    async with control.get(f"/local/calls/{sid}", params={"wait_s": "20"}) as response:
        assert (await response.json())["ended_by"] == "caller"
    assert application.ends[0].of("dtmf")[0]["dtmf"]["digit"] == "7"
    placed = await place(control, voice_url=application.voice_url)
    async with control.post(f"/local/calls/{placed['sid']}/hangup") as response:
        assert response.status == 200


async def test_a_number_is_configured_and_used(control: aiohttp.ClientSession, application: FakeApplication) -> None:
    async with control.put(f"/local/numbers/{LINE}", json={"voice_url": application.voice_url}) as response:
        assert (response.status, (await response.json())["answers"]) == (200, "yes")
    assert (await place(control))["status"] == 201
    async with control.get("/local/numbers") as response:
        assert list(await response.json()) == [LINE]
    for wrong in ({"answer": "yes"}, {"answers": "perhaps"}, {"steps": [{"sing": 1}]}, {"stays_s": "long"}):
        async with control.put(f"/local/numbers/{LINE}", json=wrong) as response:
            assert response.status == 400, wrong


@pytest.mark.parametrize(
    "call",
    [
        {"voice_url": "", "from": ALICE},
        {"voice_url": "http://127.0.0.1/", "to": ""},
        {"voice_url": "http://127.0.0.1/", "steps": [{"sing": "x"}]},
        {"voice_url": "http://127.0.0.1/", "steps": [{"wav": "/nowhere.wav"}]},
        {"voice_url": "http://127.0.0.1/", "faults": ["none such"]},
        {"voice_url": "http://127.0.0.1/", "limit_s": "long"},
        {"voice_url": "http://127.0.0.1/", "color": "red"},
        {"voice_url": "http://127.0.0.1/", "voice": "no-such-voice", "steps": [{"say": "x"}]},
    ],
)
async def test_an_invalid_call_is_rejected_before_it_rings(
    control: aiohttp.ClientSession, server: TwilioSimulator, call: dict[str, Any]
) -> None:
    placed = await place(control, **call)
    assert placed["status"] == 400
    assert placed["error"]
    assert server.carrier.calls == {}


async def test_an_unknown_call_is_not_found(control: aiohttp.ClientSession) -> None:
    async with control.get("/local/calls/CA0") as response:
        assert response.status == 404


async def test_faults_by_url_or_by_field(
    control: aiohttp.ClientSession, application: FakeApplication, server: TwilioSimulator
) -> None:
    application.twiml["/voice"] = "<Response/>"
    placed = await place(
        control, "/fault/repeat_webhook=2", voice_url=application.voice_url, faults={"no_stop": True, "gaps": 100}
    )
    call = server.carrier.calls[placed["sid"]]
    await call.done()
    assert call.faults.names == {"repeat_webhook", "no_stop", "gaps"}
    assert len(application.requests_of("/voice")) == 3


async def test_it_listens_on_this_machine_only() -> None:
    with pytest.raises(ValueError, match="this machine alone"):
        TwilioSimulator(host="0.0.0.0", account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN)

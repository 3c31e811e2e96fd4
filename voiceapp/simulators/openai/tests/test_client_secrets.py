"""The simulator of OpenAI mints client secrets, rejects requests, and injects faults."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from voiceapp.simulators.openai import OpenAISimulator

pytestmark = pytest.mark.asyncio

PATH = "/realtime/client_secrets"
SESSION = {
    "type": "realtime",
    "model": "gpt-realtime-2.1",
    "instructions": "Be brief.",
    "audio": {"output": {"voice": "verse"}},
}


@pytest_asyncio.fixture
async def openai() -> AsyncIterator[OpenAISimulator]:
    async with OpenAISimulator(keys=["right"]) as server:
        yield server


async def request_secret(
    openai: OpenAISimulator, body: Any, *faults: str, key: str = "right", **headers: str
) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with httpx.AsyncClient(timeout=1, trust_env=False) as client:
        sent = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers}
        return await client.post(openai.fault_url(*faults) + PATH, content=content, headers=sent)


async def test_a_secret_has_its_expiry_and_its_session(openai: OpenAISimulator) -> None:
    expires_after = {"anchor": "created_at", "seconds": 30}
    response = await request_secret(openai, {"expires_after": expires_after, "session": SESSION})
    minted = response.json()
    assert (response.status_code, set(minted)) == (200, {"value", "expires_at", "session"})
    assert minted["value"].startswith("ek_")
    assert time.time() + 25 < minted["expires_at"] <= time.time() + 30
    session = minted["session"]
    assert session["id"].startswith("sess_")
    assert (session["object"], session["model"], session["expires_at"]) == ("realtime.session", "gpt-realtime-2.1", 0)
    assert (session["instructions"], session["audio"]["output"]["voice"]) == ("Be brief.", "verse")


async def test_a_secret_lives_ten_minutes_by_default(openai: OpenAISimulator) -> None:
    minted = (await request_secret(openai, {})).json()
    assert time.time() + 590 < minted["expires_at"] <= time.time() + 600


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"session": {**SESSION, "model": "gpt-4o-realtime-preview"}}, 404, "model_not_found", "session.model"),
        ({"session": {**SESSION, "voice": "verse"}}, 400, "unknown_parameter", "session.voice"),
        ({"session": {**SESSION, "temperature": 0.8}}, 400, "unknown_parameter", "session.temperature"),
        ({"session": {"model": "gpt-realtime-2.1"}}, 400, "missing_required_parameter", "session.type"),
        (
            {"session": {**SESSION, "audio": {"output": {"voice": "nova"}}}},
            400,
            "invalid_value",
            "session.audio.output.voice",
        ),
        ({"expires_after": {"anchor": "created_at", "seconds": 9}}, 400, "integer_below_min_value", None),
        ({"expires_after": {"anchor": "created_at", "seconds": 7201}}, 400, "integer_above_max_value", None),
        ({"expires_after": {"anchor": "now", "seconds": 60}}, 400, "invalid_value", "expires_after.anchor"),
        ({"model": "gpt-realtime-2.1", "voice": "verse"}, 400, "unknown_parameter", "model"),
        ([], 400, "invalid_type", "body"),
        (b"{", 400, "invalid_json", None),
        (b"[" * 100_000, 400, "invalid_json", None),
    ],
)
async def test_unknown_fields_are_rejected(
    openai: OpenAISimulator, body: Any, status: int, code: str, param: str | None
) -> None:
    response = await request_secret(openai, body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code), error
    assert param is None or error["param"] == param
    assert set(error) == {"message", "type", "param", "code"}


async def test_a_wrong_key_and_the_beta_header_are_rejected(openai: OpenAISimulator) -> None:
    wrong = await request_secret(openai, {}, key="wrong")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "invalid_api_key")
    beta = await request_secret(openai, {}, **{"OpenAI-Beta": "realtime=v1"})
    assert (beta.status_code, beta.json()["error"]["code"]) == (400, "beta_api_shape_disabled")


async def test_a_secret_opens_several_sessions_and_mints_no_other_secret(openai: OpenAISimulator) -> None:
    value = (await request_secret(openai, {"session": SESSION})).json()["value"]
    url = openai.base_url.replace("http", "ws") + "/realtime"
    for _ in range(2):
        async with connect(url, additional_headers={"Authorization": f"Bearer {value}"}) as socket:
            session = json.loads(await socket.recv())["session"]
            assert (session["model"], session["instructions"]) == ("gpt-realtime-2.1", "Be brief.")
            assert session["audio"]["output"]["voice"] == "verse"
    assert (await request_secret(openai, {}, key=value)).status_code == 401


async def test_an_expired_secret_opens_nothing(openai: OpenAISimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    value = (await request_secret(openai, {"expires_after": {"anchor": "created_at", "seconds": 10}})).json()["value"]
    later = time.time() + 11
    monkeypatch.setattr("voiceapp.simulators.openai.client_secrets.time.time", lambda: later)
    with pytest.raises(InvalidStatus) as refused:
        async with connect(
            openai.base_url.replace("http", "ws") + "/realtime", additional_headers={"Authorization": f"Bearer {value}"}
        ):
            pass
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
async def test_injected_http_errors(openai: OpenAISimulator, status: int) -> None:
    response = await request_secret(openai, {}, f"refuse={status}")
    assert (response.status_code, set(response.json())) == (status, {"error"})


async def test_injected_faulty_responses(openai: OpenAISimulator) -> None:
    started_at = time.monotonic()
    assert (await request_secret(openai, {}, "slow=200")).status_code == 200
    assert time.monotonic() - started_at >= 0.2
    with pytest.raises(httpx.ReadTimeout):
        await request_secret(openai, {}, "hang")
    garbage = await request_secret(openai, {}, "garbage")
    assert garbage.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|JSON|codec"):
        garbage.json()
    moved = await request_secret(openai, {}, "redirect=302")
    assert (moved.status_code, moved.headers["Location"]) == (302, "/v1/realtime/client_secrets")
    assert len((await request_secret(openai, {}, "big_frame=2")).content) == 2 << 20
    assert [(await request_secret(openai, {}, "flaky=1")).status_code for _ in range(2)] == [503, 200]

"""The REST API refuses what VAPI refuses, and shows calls and assistants in VAPI's shapes."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from voiceapp.simulators.vapi import DEFAULT_ASSISTANT_ID, VapiSimulator
from voiceapp.simulators.vapi.tests.caller import ASSISTANT, HEADERS, KEY, call_body, post, request

pytestmark = pytest.mark.asyncio


async def test_a_call_is_created_with_the_url_of_its_socket(vapi: VapiSimulator) -> None:
    status, call = await post(f"{vapi.base_url}/call", call_body(name="A caller"))
    assert status == 201
    assert (call["type"], call["status"], call["cost"]) == ("vapi.websocketCall", "queued", 0)
    assert call["transport"]["websocketCallUrl"] == f"ws://{vapi.address[7:]}/{call['id']}/transport"
    assert call["monitor"]["controlUrl"] == f"{vapi.address}/{call['id']}/control"
    assert call["subscriptionLimits"]["concurrencyBlocked"] is False
    status, shown = await request("GET", f"{vapi.base_url}/call/{call['id']}")
    assert (status, shown["id"], shown["name"]) == (200, call["id"], "A caller")
    assert "websocketCallUrl" not in shown["transport"]


async def test_a_wrong_key_is_refused(vapi: VapiSimulator) -> None:
    wrong = {**HEADERS, "Authorization": f"Bearer {KEY}-wrong"}
    status, error = await post(f"{vapi.base_url}/call", call_body(), wrong)
    assert (status, error["statusCode"], error["error"]) == (401, 401, "Unauthorized")
    assert error["message"].startswith("Invalid Key.")


async def test_a_request_without_a_user_agent_gets_error_1010(vapi: VapiSimulator) -> None:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}, skip_auto_headers=["User-Agent"]) as session,
        session.get(f"{vapi.base_url}/assistant") as response,
    ):
        assert (response.status, await response.text()) == (403, "error code: 1010")


@pytest.mark.parametrize(("change", "problem"), [
    ({"assistant": None}, "Need either `assistant`, `assistantId`"),
    ({"assistantId": DEFAULT_ASSISTANT_ID}, "Only one of assistant or assistantId"),
    ({"assistant": None, "assistantId": "agent"}, "assistantId must be a UUID"),
    ({"phoneNumberId": "x"}, "phoneNumberId must not exist with transport.provider vapi.websocket"),
    ({"customer": {"number": "+15551234567"}}, "customer must not exist"),
    ({"metadata": {}}, "property metadata should not exist"),
    ({"name": "x" * 41}, "name must be shorter than or equal to 40 characters"),
    ({"transport": {"provider": "twilio"}}, "transport.provider must be one of"),
    ({"transport": {"provider": "vapi.websocket", "audioFormat": {"format": "opus"}}}, "transport.audioFormat.format"),
    ({"transport": {"provider": "vapi.websocket", "audioFormat": {"format": "mulaw", "sampleRate": 16000}}},
     "converts only 8000"),
    ({"assistant": {**ASSISTANT, "firstMessageMode": "loudly"}}, "assistant.firstMessageMode must be one of"),
    ({"assistant": {**ASSISTANT, "silenceTimeoutSeconds": 30}}, "property silenceTimeoutSeconds should not exist"),
    ({"assistant": {"model": {"provider": "openai"}}}, "assistant.model.model must be a string"),
    ({"assistantOverrides": {"clientMessages": ["everything"]}}, "assistantOverrides.clientMessages.0 must be one of"),
])  # fmt: skip
async def test_an_invalid_call_is_refused_with_the_reasons(
    vapi: VapiSimulator, change: dict[str, Any], problem: str
) -> None:
    status, error = await post(f"{vapi.base_url}/call", call_body(**change) | change)
    assert (status, error["error"]) == (400, "Bad Request")
    assert any(problem in each for each in error["message"]), error


async def test_a_call_with_an_unknown_assistant_is_refused(vapi: VapiSimulator) -> None:
    body = {**call_body(), "assistantId": "0" * 8 + "-0000-4000-8000-" + "0" * 12, "assistant": None}
    status, error = await post(f"{vapi.base_url}/call", body)
    assert (status, error["statusCode"]) == (400, 400)
    assert "Does it exist?" in error["message"]


async def test_the_default_assistant_exists(vapi: VapiSimulator) -> None:
    body = {**call_body(), "assistantId": DEFAULT_ASSISTANT_ID, "assistant": None}
    status, call = await post(f"{vapi.base_url}/call", body)
    assert (status, call["assistantId"]) == (201, DEFAULT_ASSISTANT_ID)


async def test_assistants_are_created_read_changed_and_deleted(vapi: VapiSimulator) -> None:
    url = f"{vapi.base_url}/assistant"
    status, created = await post(url, {**ASSISTANT, "name": "Garage"})
    assert status == 201
    status, changed = await request("PATCH", f"{url}/{created['id']}", {"firstMessage": "Hi.", "name": None})
    assert (status, changed["firstMessage"], "name" in changed) == (200, "Hi.", False)
    assert changed["model"] == ASSISTANT["model"]
    listed = (await request("GET", f"{url}?limit=1"))[1]
    assert [each["id"] for each in listed] == [created["id"]]
    assert (await request("DELETE", f"{url}/{created['id']}"))[0] == 200
    status, error = await request("GET", f"{url}/{created['id']}")
    assert (status, error["error"]) == (404, "Not Found")


async def test_an_invalid_assistant_is_refused(vapi: VapiSimulator) -> None:
    tool = {"type": "function", "function": {"name": "look up!"}}
    body = {"model": {"provider": "openai", "model": "gpt-4o", "tools": [tool, {"type": "function"}]}, "voice": "burt"}
    status, error = await post(f"{vapi.base_url}/assistant", body)
    assert status == 400
    assert len(error["message"]) == 3, error


async def test_a_call_that_is_over_can_be_renamed_and_deleted(vapi: VapiSimulator) -> None:
    call = (await post(f"{vapi.base_url}/call", call_body()))[1]
    url = f"{vapi.base_url}/call/{call['id']}"
    assert (await request("PATCH", url, {"name": "Bob"}))[1]["name"] == "Bob"
    assert [each["id"] for each in (await request("GET", f"{vapi.base_url}/call"))[1]] == [call["id"]]
    status, error = await request("DELETE", url, {"id": call["id"]})
    assert (status, error["message"]) == (400, ["property id should not exist"])
    status, error = await request("DELETE", url, {"ids": ["all"]})
    assert (status, error["message"]) == (400, ["ids.0 must be a UUID"])
    assert (await request("DELETE", url))[0] == 200
    assert (await request("GET", url))[0] == 404
    assert (await request("DELETE", url))[0] == 404


async def test_a_credential_is_created_without_showing_its_secret(vapi: VapiSimulator) -> None:
    plan = {"type": "bearer", "token": "secret"}
    status, created = await post(
        f"{vapi.base_url}/credential", {"provider": "webhook", "authenticationPlan": plan, "name": "Server"}
    )
    assert (status, "authenticationPlan" in created) == (201, False)
    broken = {"provider": "webhook", "authenticationPlan": {"type": "hmac"}}
    assert (await post(f"{vapi.base_url}/credential", broken))[0] == 400
    assert (await request("DELETE", f"{vapi.base_url}/credential/{created['id']}"))[0] == 200

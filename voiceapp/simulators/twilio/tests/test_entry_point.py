"""`python -m voiceapp.simulators.twilio`: one line when ready, a quick stop, nothing of the product imported."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

import aiohttp
import pytest

from voiceapp.simulators.twilio.tests.fake_application import ACCOUNT_SID, AUTH_TOKEN, FakeApplication

pytestmark = pytest.mark.asyncio

KEYS = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN}


async def started(*arguments: str, keys: dict[str, str]) -> asyncio.subprocess.Process:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TWILIO_")} | keys
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "voiceapp.simulators.twilio",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_listens_places_calls_and_stops_at_once_during_calls(
    application: FakeApplication,
) -> None:
    application.twiml["/voice"] = application.stream()
    process = await started("--port", "0", keys=KEYS)
    assert process.stdout
    line = (await process.stdout.readline()).decode()
    assert line.startswith("listening on http://127.0.0.1:")
    async with aiohttp.ClientSession(line.split()[-1]) as session:
        for number in range(3):
            call = {"from": f"+1555000{number}", "to": "+15550002222", "voice_url": application.voice_url}
            async with session.post("/local/calls", json=call) as response:
                assert response.status == 201
    async with asyncio.timeout(5):
        while len(application.ends) < 3:
            await asyncio.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        rest, errors = await process.communicate()
    assert (process.returncode, rest) == (0, b"")
    assert b"Traceback" not in errors
    assert all(end.of("stop") for end in application.ends)


async def test_the_application_sees_a_reset_as_a_reset(application: FakeApplication) -> None:
    application.twiml["/voice"] = application.stream(action="")
    process = await started("--port", "0", keys=KEYS)
    assert process.stdout
    base_url = (await process.stdout.readline()).decode().split()[-1]
    call = {"from": "+15550001", "to": "+15550002", "voice_url": application.voice_url, "faults": ["abort=100"]}
    async with aiohttp.ClientSession(base_url) as session:
        async with session.post("/local/calls", json=call) as response:
            sid = (await response.json())["sid"]
        async with session.get(f"/local/calls/{sid}", params={"wait_s": "5"}) as response:
            report = json.loads(await response.text())
    process.terminate()
    await process.communicate()
    assert report["streams"][0]["close_code"] == 1006
    assert application.ends[0].of("stop") == []


async def test_it_does_not_start_without_keys() -> None:
    process = await started("--port", "0", keys={})
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"TWILIO_AUTH_TOKEN must be set" in errors


async def test_nothing_of_the_product_is_imported() -> None:
    code = (
        "import sys, voiceapp.simulators.twilio.__main__, voiceapp.simulators.kitchen; "
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'agents', 'sessions', 'telephony', 'twilio')"
        " or m.startswith(('voiceapp.lib', 'voiceapp.providers', 'voiceapp.settings'))])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert out.strip() == b"[]"

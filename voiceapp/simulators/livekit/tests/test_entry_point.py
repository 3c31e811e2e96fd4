"""`python -m voiceapp.simulators.livekit`: one line when ready, a quick stop, nothing of the product imported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from voiceapp.providers.livekit.client import AgentRequest, LiveKitClient
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET, receiving

KEYS = {"LIVEKIT_API_KEY": API_KEY, "LIVEKIT_API_SECRET": API_SECRET}
# A deadline for a hang; less than the webhooks that are sent again would take.
STOPS_WITHIN_S = 10


def started(*arguments: str, keys: dict[str, str]) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LIVEKIT_")} | keys
    return subprocess.Popen(
        [sys.executable, "-m", "voiceapp.simulators.livekit", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_listens_sends_webhooks_and_stops_at_once() -> None:
    with receiving([500] * 100) as receiver:
        process = started("--port", "0", keys=KEYS | {"LIVEKIT_WEBHOOK_URL": receiver.url})
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:")
        client = LiveKitClient(url=line.split()[-1], api_key=API_KEY, api_secret=API_SECRET)
        client.create_room("room", agent=AgentRequest("voice-agent"))
        until_s = time.monotonic() + 5
        while not receiver.received and time.monotonic() < until_s:
            time.sleep(0.01)
        assert receiver.received
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=STOPS_WITHIN_S)
    assert (process.returncode, rest) == (0, "")
    assert "Traceback" not in errors


def test_it_does_not_start_without_keys() -> None:
    process = started("--port", "0", keys={})
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 2
    assert "LIVEKIT_API_SECRET must be set" in errors


def test_it_serves_this_machine_only() -> None:
    process = started("--host", "0.0.0.0", "--port", "0", keys=KEYS)
    _, errors = process.communicate(timeout=10)
    assert (process.returncode, "on this machine alone" in errors) == (2, True)


def test_nothing_of_the_product_is_imported() -> None:
    code = (
        "import sys, voiceapp.simulators.livekit.__main__; "
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'agents', 'sessions', 'telephony')"
        " or m.startswith(('voiceapp.lib', 'voiceapp.providers', 'voiceapp.settings', 'livekit.api'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

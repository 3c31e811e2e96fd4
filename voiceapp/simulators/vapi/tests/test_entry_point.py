"""`python -m voiceapp.simulators.vapi`: one line when ready, a quick stop, nothing of the product imported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import httpx

from voiceapp.simulators.vapi.tests.caller import HEADERS, KEY


def test_it_listens_and_stops_at_once() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "voiceapp.simulators.vapi", "--port", "0"],
        env={**os.environ, "VAPI_API_KEY": KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("listening on http://127.0.0.1:")
    response = httpx.get(f"{line.split()[-1]}/assistant", headers=HEADERS, trust_env=False)
    assert [each["name"] for each in response.json()] == ["Service agent"]
    process.send_signal(signal.SIGTERM)
    rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest) == (0, "")
    assert "Traceback" not in errors


def test_nothing_of_the_product_is_imported() -> None:
    code = (
        "import sys, voiceapp.simulators.vapi.__main__; "
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'agents', 'sessions', 'telephony')"
        " or m.startswith(('voiceapp.core', 'voiceapp.providers', 'voiceapp.settings'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

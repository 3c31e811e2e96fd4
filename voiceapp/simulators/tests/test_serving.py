"""The simulators' command lines: they say where they listen, stop at SIGTERM, and say why they cannot listen."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

COMMAND = [sys.executable, "-m", "voiceapp.simulators.kitchen", "--port"]
ENVIRONMENT = os.environ | {"ORDERS_SECRET": "whsec_" + "s" * 40}


def test_it_says_where_it_listens_and_stops_when_it_is_told_to() -> None:
    with subprocess.Popen([*COMMAND, "0"], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as kitchen:
        assert kitchen.stdout is not None
        line = kitchen.stdout.readline()
        kitchen.send_signal(signal.SIGTERM)
    assert line.startswith("listening on http://127.0.0.1:")
    assert kitchen.returncode == 0


def test_a_port_that_is_taken_is_a_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run([*COMMAND, str(port)], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"127.0.0.1, port {port}: " in done.stderr
    assert "Choose another one by --port." in done.stderr
    assert "Traceback" not in done.stderr

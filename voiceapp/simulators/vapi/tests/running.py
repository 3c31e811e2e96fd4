"""The simulator of VAPI for blocking clients."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from voiceapp.simulators.tests.in_thread import in_thread
from voiceapp.simulators.vapi import VapiSimulator


def running_vapi(**options: Any) -> AbstractContextManager[VapiSimulator]:
    """`options` are the simulator's."""
    return in_thread(VapiSimulator(**options))

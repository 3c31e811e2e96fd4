"""The simulator of OpenAI for blocking clients."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from voiceapp.simulators.openai import OpenAISimulator
from voiceapp.simulators.tests.in_thread import in_thread


def running_openai(**options: Any) -> AbstractContextManager[OpenAISimulator]:
    """`options` are the server's."""
    return in_thread(OpenAISimulator(**options))

"""A script of tool calls in a URL: the first responses of a call, instead of what the model would decide."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from voiceapp.simulators.model.agent.outputs import FunctionCall

Script = list[list[FunctionCall]]


def tools_fault(*responses: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """The fault `tools` for these responses: each a list of tools, with their arguments."""
    script = json.dumps([[[name, arguments] for name, arguments in calls] for calls in responses])
    return f"tools={base64.urlsafe_b64encode(script.encode()).decode().rstrip('=')}"


def read_script(argument: str) -> Script:
    """Raises ValueError."""
    try:
        script = json.loads(base64.urlsafe_b64decode(argument + "=" * (-len(argument) % 4)))
        return [[FunctionCall(str(name), dict(arguments)) for name, arguments in calls] for calls in script]
    except (binascii.Error, TypeError, UnicodeDecodeError) as exc:
        raise ValueError("not a script of tools") from exc

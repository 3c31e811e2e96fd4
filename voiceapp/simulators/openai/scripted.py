"""Answers that a test has written: which tools the agent asks for, response by response, whatever was said."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from voiceapp.simulators.openai.parts import Call

Script = list[list[Call]]


def tools_fault(*responses: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """The fault `tools` for these responses: each a list of tools, with their arguments."""
    written = json.dumps([[[name, arguments] for name, arguments in calls] for calls in responses])
    return f"tools={base64.urlsafe_b64encode(written.encode()).decode().rstrip('=')}"


def read_script(argument: str) -> Script:
    """Raises ValueError for what is no script."""
    try:
        written = json.loads(base64.urlsafe_b64decode(argument + "=" * (-len(argument) % 4)))
        return [[Call(str(name), dict(arguments)) for name, arguments in calls] for calls in written]
    except (binascii.Error, TypeError, UnicodeDecodeError) as exc:
        raise ValueError("no script of tools") from exc

"""The simulated account: its keys, assistants, credentials and calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from voiceapp.simulators.vapi.assistants import Assistants
from voiceapp.simulators.vapi.call import VapiCall
from voiceapp.simulators.vapi.credentials import Credentials


@dataclass(slots=True)
class VapiAccount:
    """`server` is the organization's server URL, written as an assistant's; `address` is that of the simulator."""

    keys: frozenset[str]
    server: Mapping[str, Any] | None = None
    address: str = ""
    org_id: str = field(default_factory=lambda: str(uuid4()))
    calls: dict[str, VapiCall] = field(default_factory=dict)
    assistants: Assistants = field(init=False)
    credentials: Credentials = field(init=False)

    def __post_init__(self) -> None:
        self.assistants, self.credentials = Assistants(self.org_id), Credentials(self.org_id)

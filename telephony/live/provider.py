"""What a live call needs of an AI provider: a dialect for its core and a link for its socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from telephony.bridge.agent_side import MakeDialect
from telephony.bridge.core.actions import LinkLoss

from .links import Link


class MakeLink(Protocol):
    """A link that is not open yet; what happens to it is reported to the three callbacks."""

    def __call__(
        self,
        *,
        on_opened: Callable[[], None],
        on_frame: Callable[[str], None],
        on_lost: Callable[[LinkLoss], None],
    ) -> Link: ...


@dataclass(frozen=True, slots=True)
class Provider:
    """An AI provider for one call. `replaced`: the fields of the agent's version that it would have refused.

    `runs_tools`: it has the tools run at our webhooks, so that the call only learns what came of them.
    """

    make_dialect: MakeDialect
    make_link: MakeLink
    replaced: tuple[Mapping[str, str | int | float | None], ...] = ()
    runs_tools: bool = False

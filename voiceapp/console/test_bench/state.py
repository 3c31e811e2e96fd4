"""What a test bench has said and done so far. It is signed and lives in the page: no row is written for a trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.utils.translation import gettext as _

from telephony.scenarios.conversation import Entry
from voiceapp.core.errors import ApplicationError

LASTS_S = 24 * 3600


class Lost(ApplicationError):
    """The page is too old, or what it sent is not what it was given."""


@dataclass(frozen=True, slots=True)
class BenchState:
    """`talk`: the conversation; `tools`: uses of single tools, each after the one before; `made`: what came of both."""

    talk: Sequence[Entry] = ()
    tools: Sequence[Entry] = ()
    made_of_talk: dict[str, Any] | None = None
    made_of_tools: dict[str, Any] | None = None

    @property
    def is_over(self) -> bool:
        return bool(self.talk) and self.talk[-1].who == "end"

    def signed(self, *, place: str) -> str:
        content = {
            "talk": [entry.as_json() for entry in self.talk],
            "tools": [entry.as_json() for entry in self.tools],
            "made": [self.made_of_talk, self.made_of_tools],
        }
        return signing.dumps(content, salt=place, compress=True)


def read_state(text: str, *, place: str) -> BenchState:
    """Only what this user was given on this agent's bench. Raises Lost."""
    if not text:
        return BenchState()
    try:
        content = signing.loads(text, salt=place, max_age=LASTS_S)
    except signing.BadSignature as exc:
        raise Lost(_("This page is older than a day, or belongs to another sign-in. The trial begins anew.")) from exc
    talk, tools = ([Entry.of_json(each) for each in content[name]] for name in ("talk", "tools"))
    return BenchState(talk, tools, *content["made"])


def place_of(agent_id: int, version_id: int | None, user_id: int) -> str:
    return f"test-bench:{agent_id}:{version_id or 'draft'}:{user_id}"

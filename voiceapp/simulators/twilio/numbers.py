"""Phone numbers: each belongs to an application or to a person's phone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from voiceapp.simulators.twilio.steps import Step, as_steps


class Answers(StrEnum):
    YES = "yes"
    BUSY = "busy"
    NO_ANSWER = "no-answer"


@dataclass(frozen=True, slots=True)
class Number:
    """With `voice_url` it belongs to an application, otherwise to a person.

    The person answers after `answers_after_ms`, presses `presses` during a whisper, says `says`, stays `stays_s` and
    hangs up; or does the `steps`, if there are any.
    """

    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    status_callback: str = ""
    status_callback_method: str = "POST"
    answers: Answers = Answers.YES
    answers_after_ms: int = 300
    says: str = ""
    presses: str = ""
    stays_s: float = 2.0
    steps: tuple[Step, ...] = ()

    @property
    def script(self) -> tuple[Step, ...]:
        if self.steps or not self.says:
            return self.steps
        return as_steps([{"say": self.says, "listen": False}, {"wait_s": self.stays_s}, {"hang_up": True}])

    @classmethod
    def from_json(cls, given: Mapping[str, object]) -> Number:
        """Raises ValueError for invalid fields."""
        known = set(cls.__slots__)
        if unknown := set(given) - known:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}; known fields: {', '.join(sorted(known))}")
        strings = {name: str(given[name]) for name in known & set(given) - {"steps", "answers"} - _NUMERIC}
        steps = given.get("steps") or []
        if not isinstance(steps, list):
            raise ValueError("steps must be a list")
        answers_after_ms, stays_s = given.get("answers_after_ms", 300), given.get("stays_s", 2.0)
        if not isinstance(answers_after_ms, int | float) or not isinstance(stays_s, int | float):
            raise ValueError("answers_after_ms and stays_s must be numbers")
        return cls(
            **strings,
            answers=Answers(str(given.get("answers", "yes"))),
            answers_after_ms=int(answers_after_ms),
            stays_s=float(stays_s),
            steps=as_steps(steps),
        )


_NUMERIC = {"answers_after_ms", "stays_s"}

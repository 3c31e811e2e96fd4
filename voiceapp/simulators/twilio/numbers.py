"""Phone numbers: each belongs to an application or to a person's phone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from voiceapp.simulators.twilio.message import Receives
from voiceapp.simulators.twilio.steps import Step, as_steps


class Answers(StrEnum):
    YES = "yes"
    BUSY = "busy"
    NO_ANSWER = "no-answer"


class Behavior(StrEnum):
    """What a person does with a call that is offered by a menu of keys."""

    ACCEPT = "accept"  # listens, presses 1, speaks, stays, hangs up
    DECLINE = "decline"  # listens and presses 2
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    VOICEMAIL = "voicemail"  # a machine answers, speaks, and records what comes
    HANG_UP = "hang-up"  # answers, listens to the beginning, and hangs up


_MAILBOX = "I cannot come to the phone. Please leave a message after the tone."
_MAILBOX_RECORDS_S = 20
_GREETING = "Hello, how can I help you?"


@dataclass(frozen=True, slots=True)
class Number:
    """With `voice_url` it belongs to an application, otherwise to a person.

    The person answers after `answers_after_ms`, presses `presses` during a whisper, says `says`, stays `stays_s` and
    hangs up; or does the `steps`, if there are any, or what `behaves` says. `sms_url` gets the
    texts to an application's number; `texts` says what becomes of those to a person's.
    """

    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    status_callback: str = ""
    status_callback_method: str = "POST"
    sms_url: str = ""
    texts: Receives = Receives.DELIVERED
    answers: Answers = Answers.YES
    answers_after_ms: int = 300
    says: str = ""
    presses: str = ""
    stays_s: float = 2.0
    steps: tuple[Step, ...] = ()
    behaves: Behavior | None = None

    @property
    def answering(self) -> Answers:
        if self.behaves in (Behavior.NO_ANSWER, Behavior.BUSY):
            return Answers(self.behaves.value)
        return self.answers

    @property
    def script(self) -> tuple[Step, ...]:
        leave: list[object] = [{"wait_s": self.stays_s}, {"hang_up": True}]
        match self.behaves:
            case Behavior.ACCEPT:
                says = self.says or _GREETING
                speak: list[object] = [{"wait_s": 1}, {"say": says, "listen": False}]
                return (*as_steps([{"listen": True}, {"press": "1"}, *speak]), *(self.steps or as_steps(leave)))
            case Behavior.DECLINE:
                return as_steps([{"listen": True}, {"press": "2"}])
            case Behavior.VOICEMAIL:
                mailbox = {"say": self.says or _MAILBOX, "listen": False}
                return as_steps([mailbox, {"wait_s": _MAILBOX_RECORDS_S}, {"hang_up": True}])
            case Behavior.HANG_UP:
                return as_steps([{"wait_s": self.stays_s}, {"hang_up": True}])
        if self.steps or not self.says:
            return self.steps
        return as_steps([{"say": self.says, "listen": False}, {"wait_s": self.stays_s}, {"hang_up": True}])

    @classmethod
    def from_json(cls, given: Mapping[str, object]) -> Number:
        """Raises ValueError for invalid fields."""
        known = set(cls.__slots__)
        if unknown := set(given) - known:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}; known fields: {', '.join(sorted(known))}")
        strings = {
            name: str(given[name]) for name in known & set(given) - {"steps", "answers", "behaves", "texts"} - _NUMERIC
        }
        steps = given.get("steps") or []
        if not isinstance(steps, list):
            raise ValueError("steps must be a list")
        answers_after_ms, stays_s = given.get("answers_after_ms", 300), given.get("stays_s", 2.0)
        if not isinstance(answers_after_ms, int | float) or not isinstance(stays_s, int | float):
            raise ValueError("answers_after_ms and stays_s must be numbers")
        return cls(
            **strings,
            answers=Answers(str(given.get("answers", "yes"))),
            texts=Receives(str(given.get("texts", Receives.DELIVERED))),
            answers_after_ms=int(answers_after_ms),
            stays_s=float(stays_s),
            steps=as_steps(steps),
            behaves=Behavior(str(given["behaves"])) if given.get("behaves") else None,
        )


_NUMERIC = {"answers_after_ms", "stays_s"}

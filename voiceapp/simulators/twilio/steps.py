"""The steps of a person's script, parsed from JSON and validated before the phone rings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Act(StrEnum):
    SAY = "say"
    WAV = "wav"
    WAIT = "wait_s"
    PRESS = "press"
    LISTEN = "listen"
    HANG_UP = "hang_up"


@dataclass(frozen=True, slots=True)
class Step:
    """One act. `value` is the text, the file, the seconds, the digits or the ms of silence to listen for."""

    act: Act
    value: str | float = ""
    interrupt_after_ms: int | None = None
    listens: bool = True
    silence_ms: int | None = None
    timeout_s: float | None = None
    voice: str | None = None
    words_per_minute: int | None = None
    pitch: int | None = None


_OPTIONS = {"interrupt_after_ms", "listen", "silence_ms", "timeout_s", "voice", "words_per_minute", "pitch"}


def as_steps(given: Iterable[object]) -> tuple[Step, ...]:
    """Raises ValueError, with the number of the step, for an invalid one."""
    return tuple(_step(index, each) for index, each in enumerate(given, start=1))


def _step(index: int, given: object) -> Step:
    if not isinstance(given, Mapping):
        raise ValueError(f"step {index} is not an object")
    acts = [act for act in Act if act.value in given and not (act is Act.LISTEN and len(_acts(given)) > 1)]
    if len(acts) != 1:
        raise ValueError(f"step {index} must do one of {', '.join(Act)}: {dict(given)!r}")
    act = acts[0]
    if unknown := set(given) - _OPTIONS - {act.value}:
        raise ValueError(f"step {index}: unknown {', '.join(sorted(map(str, unknown)))}")
    interrupt = _number(index, given, "interrupt_after_ms")
    silence = _number(index, given, "silence_ms")
    if act is Act.LISTEN and not isinstance(given["listen"], bool):
        silence = _number(index, given, "listen")
    return Step(
        act,
        _value(index, act, given),
        interrupt_after_ms=None if interrupt is None else int(interrupt),
        listens=bool(given.get("listen", act in (Act.SAY, Act.WAV))),
        silence_ms=None if silence is None else int(silence),
        timeout_s=_number(index, given, "timeout_s"),
        voice=str(given["voice"]) if "voice" in given else None,
        words_per_minute=_whole(index, given, "words_per_minute"),
        pitch=_whole(index, given, "pitch"),
    )


def _acts(given: Mapping[object, object]) -> list[Act]:
    return [act for act in Act if act.value in given]


def _value(index: int, act: Act, given: Mapping[object, object]) -> str | float:
    value = given[act.value]
    match act:
        case Act.SAY | Act.WAV | Act.PRESS:
            if not isinstance(value, str | int) or isinstance(value, bool) or not str(value).strip():
                raise ValueError(f"step {index}: {act} needs a text")
            if act is Act.PRESS and set(str(value)) - set("0123456789*#ABCDw"):
                raise ValueError(f"step {index}: {value!r} has no such keys")
            return str(value)
        case Act.WAIT:
            seconds = _number(index, given, "wait_s")
            if seconds is None:
                raise ValueError(f"step {index}: wait_s must be a number")
            return seconds
        case _:
            return ""


def _number(index: int, given: Mapping[object, object], name: str) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"step {index}: {name} must be a number, not {value!r}")
    return float(value)


def _whole(index: int, given: Mapping[object, object], name: str) -> int | None:
    value = _number(index, given, name)
    return None if value is None else int(value)

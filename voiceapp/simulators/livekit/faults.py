"""The faults that can be chosen, by address (`/fault/agent_late=3/…`) or by words: the package's docstring has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_NUMBERS: dict[str, float] = {
    "away": 503,
    "slow": 6000,
    "agent_late": 5,
    "agent_leaves": 1,
    "webhook_late": 2,
    "busy": 30,
}
_WORDS = {"code": "internal", "only": ""}
_OF_EVENTS = {"webhook_twice", "webhook_lost", "webhook_bad_signature", "webhook_no_id", "webhook_no_time"}
_BARE = {
    "credentials", "not_found", "garbage", "empty", "garbage_protobuf", "reset", "lost_answer", "agent_never",
    "no_worker", "redis_required", "egress_no_worker", "egress_refused", "egress_never_starts", "egress_aborts",
    "egress_fails", "egress_never_ends", "egress_no_file", "webhook_reordered", "unnamed_worker",
}  # fmt: skip
_KNOWN = _NUMBERS.keys() | _WORDS.keys() | _OF_EVENTS | _BARE


class Faults:
    def __init__(self, chosen: Mapping[str, str] | None = None) -> None:
        self._chosen = dict(chosen or {})
        for name, argument in self._chosen.items():
            if name not in _KNOWN:
                raise ValueError(f"there is no fault {name!r}; there are {', '.join(sorted(_KNOWN))}")
            if name in _NUMBERS and argument:
                float(argument)

    @classmethod
    def from_words(cls, words: Iterable[str]) -> Faults:
        """From `name` or `name=argument` each. Raises ValueError."""
        return cls({name: argument for name, _, argument in (word.partition("=") for word in words)})

    @classmethod
    def from_path(cls, prefix: str) -> Faults:
        """From an address prefix `fault/a/fault/b=3/`."""
        return cls.from_words(word for word in prefix.split("/") if word and word != "fault")

    def __contains__(self, name: str) -> bool:
        assert name in _KNOWN, name
        return name in self._chosen

    def __or__(self, other: Faults) -> Faults:
        return Faults({**self._chosen, **other._chosen})

    @property
    def words(self) -> list[str]:
        return [f"{name}={argument}" if argument else name for name, argument in self._chosen.items()]

    def number(self, name: str) -> float:
        """The fault's argument, or its default."""
        return float(self._chosen[name]) if self._chosen.get(name) else _NUMBERS[name]

    def word(self, name: str) -> str:
        return self._chosen.get(name) or _WORDS[name]

    def hits(self, name: str, event: str) -> bool:
        """Whether the fault was chosen for all events or for this one."""
        assert name in _OF_EVENTS, name
        return self._chosen.get(name) in ("", event)

    def spoils(self, method: str) -> bool:
        """Whether faults of calls are meant for this method."""
        return self._chosen.get("only", method) == method

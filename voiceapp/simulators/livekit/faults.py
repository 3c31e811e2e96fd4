"""Fault injection, by URL (`/fault/agent_late=3/…`) or by name. The docstring of the package lists the faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_NUMBERS: dict[str, float] = {
    "away": 503,
    "slow": 6000,
    "agent_late": 5,
    "agent_leaves": 1,
    "webhook_late": 2,
    "track_late": 3,
    "busy": 30,
}
_TEXTS = {"code": "internal", "only": ""}
_OF_EVENTS = {"webhook_twice", "webhook_lost", "webhook_bad_signature", "webhook_no_id", "webhook_no_time"}
_BARE = {
    "credentials", "not_found", "garbage", "empty", "garbage_protobuf", "reset", "lost_answer", "agent_never",
    "no_worker", "redis_required", "egress_no_worker", "egress_refused", "egress_never_starts", "egress_aborts",
    "egress_fails", "egress_never_ends", "egress_no_file", "webhook_reordered", "unnamed_worker",
    "phone_rings", "phone_busy", "trunk_fails",
}  # fmt: skip
_KNOWN = _NUMBERS.keys() | _TEXTS.keys() | _OF_EVENTS | _BARE


class LiveKitFaults:
    def __init__(self, chosen: Mapping[str, str] | None = None) -> None:
        self._chosen = dict(chosen or {})
        for name, argument in self._chosen.items():
            if name not in _KNOWN:
                raise ValueError(f"unknown fault {name!r}; known faults: {', '.join(sorted(_KNOWN))}")
            if name in _NUMBERS and argument:
                float(argument)

    @classmethod
    def parse(cls, faults: Iterable[str]) -> LiveKitFaults:
        """Each is `name` or `name=argument`. Raises ValueError."""
        return cls({name: argument for name, _, argument in (fault.partition("=") for fault in faults)})

    @classmethod
    def from_path(cls, prefix: str) -> LiveKitFaults:
        """From the prefix of a path, such as `fault/a/fault/b=3/`."""
        return cls.parse(part for part in prefix.split("/") if part and part != "fault")

    def __contains__(self, name: str) -> bool:
        assert name in _KNOWN, name
        return name in self._chosen

    def __or__(self, other: LiveKitFaults) -> LiveKitFaults:
        return LiveKitFaults({**self._chosen, **other._chosen})

    @property
    def names(self) -> list[str]:
        return [f"{name}={argument}" if argument else name for name, argument in self._chosen.items()]

    def number(self, name: str) -> float:
        """The fault's argument, or its default."""
        return float(self._chosen[name]) if self._chosen.get(name) else _NUMBERS[name]

    def text(self, name: str) -> str:
        return self._chosen.get(name) or _TEXTS[name]

    def applies_to(self, name: str, event: str) -> bool:
        """Whether the fault is for all events or for this one."""
        assert name in _OF_EVENTS, name
        return self._chosen.get(name) in ("", event)

    def affects(self, method: str) -> bool:
        """Whether the faults of requests are for this method."""
        return self._chosen.get("only", method) == method

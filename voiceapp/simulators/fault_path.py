"""The faults in the path of a URL: `/fault/<name>[=<argument>]`, several in a row."""

from __future__ import annotations

from collections.abc import Mapping, Set


class UnknownFault(ValueError):
    """The URL has a fault that does not exist."""


def read_faults(
    path: str, *, arguments: Mapping[str, str], bare: Set[str], textual: Set[str] = frozenset()
) -> dict[str, str]:
    """`fault/slow=300/fault/no_interrupt` → names with their arguments. Raises `UnknownFault`.

    `arguments`: faults that have one, with the default; a number unless the fault is `textual`. `bare`: the others.
    """
    parts = [part for part in path.split("/") if part]
    if len(parts) % 2 or any(part != "fault" for part in parts[::2]):
        raise UnknownFault(f"not a path of faults: {path}")
    chosen: dict[str, str] = {}
    for part in parts[1::2]:
        name, _, argument = part.partition("=")
        if name not in arguments and name not in bare:
            raise UnknownFault(f"unknown fault: {name}")
        chosen[name] = argument or arguments.get(name, "")
        if name in arguments and name not in textual and not chosen[name].isdigit():
            raise UnknownFault(f"{name} needs a number, not {argument}")
    return chosen

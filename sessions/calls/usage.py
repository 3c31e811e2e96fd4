"""Tokens and seconds as providers report them, counted by kind. Plain values: no Django."""

from __future__ import annotations

from collections.abc import Mapping


def counts_of(usage: Mapping[str, object]) -> dict[str, float]:
    """OpenAI's two shapes of usage, flattened. Cached tokens are part of the input ones and are taken out of them."""
    if usage.get("type") == "duration":
        return {"second": _number(usage.get("seconds"))}
    counted: dict[str, float] = {}
    inputs, outputs = _part(usage, "input_token_details"), _part(usage, "output_token_details")
    cached = _part(inputs, "cached_tokens_details")
    for kind in ("text", "audio", "image"):
        from_cache = _number(cached.get(f"{kind}_tokens"))
        counted[f"{kind}_in"] = max(0, _number(inputs.get(f"{kind}_tokens")) - from_cache)
        counted[f"{kind}_cached"] = from_cache
        counted[f"{kind}_out"] = _number(outputs.get(f"{kind}_tokens"))
    if not inputs:
        counted["text_in"] = _number(usage.get("input_tokens"))
    if not outputs:
        counted["text_out"] = _number(usage.get("output_tokens"))
    return {kind: count for kind, count in counted.items() if count}


def _part(usage: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = usage.get(name)
    return part if isinstance(part, Mapping) else {}


def _number(value: object) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else 0

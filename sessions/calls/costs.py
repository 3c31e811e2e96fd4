"""What a call costs at the provider, in US dollars, from a dated price table. An unknown price is None, never 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import ROUND_UP, Decimal

from .spending import SpendingLimit
from .usage import counts_of

MILLION = Decimal(1_000_000)
REPORTED = "usd"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens of each kind, and per second of audio. None: no known price in that kind."""

    valid_from: date
    text_in: Decimal | None = None
    text_cached: Decimal | None = None
    text_out: Decimal | None = None
    audio_in: Decimal | None = None
    audio_cached: Decimal | None = None
    audio_out: Decimal | None = None
    image_in: Decimal | None = None
    image_cached: Decimal | None = None
    second: Decimal | None = None


def _speech(valid_from: date, text: str, audio: str, image: str) -> Price:
    """A speech model's row; each argument is `input cached output`."""
    text_in, text_cached, text_out = map(Decimal, text.split())
    audio_in, audio_cached, audio_out = map(Decimal, audio.split())
    image_in, image_cached = map(Decimal, image.split())
    return Price(
        valid_from=valid_from,
        text_in=text_in,
        text_cached=text_cached,
        text_out=text_out,
        audio_in=audio_in,
        audio_cached=audio_cached,
        audio_out=audio_out,
        image_in=image_in,
        image_cached=image_cached,
    )


# developers.openai.com/api/docs/models/<model>, read in November 2026. The newest row that is valid counts.
PRICES: Mapping[str, tuple[Price, ...]] = {
    "gpt-realtime": (_speech(date(2025, 8, 28), "4 0.40 16", "32 0.40 64", "5 0.50"),),
    "gpt-realtime-1.5": (_speech(date(2026, 2, 1), "4 0.40 16", "32 0.40 64", "5 0.50"),),
    "gpt-realtime-2": (_speech(date(2026, 5, 1), "4 0.40 24", "32 0.40 64", "5 0.50"),),
    "gpt-realtime-2.1": (_speech(date(2026, 5, 1), "4 0.40 24", "32 0.40 64", "5 0.50"),),
    "gpt-realtime-mini": (_speech(date(2025, 10, 6), "0.60 0.06 2.40", "10 0.30 20", "0.80 0.08"),),
    "gpt-realtime-2.1-mini": (_speech(date(2026, 5, 1), "0.60 0.06 2.40", "10 0.30 20", "0.80 0.08"),),
    "gpt-realtime-whisper": (Price(date(2026, 5, 1), second=Decimal("0.017") / 60),),
    "gpt-live-transcribe": (Price(date(2026, 5, 1), second=Decimal("0.017") / 60),),
    "gpt-transcribe": (Price(date(2026, 5, 1), second=Decimal("0.0045") / 60),),
}


def add_usage(
    totals: Mapping[str, object], *, source: str, model: str, usage: Mapping[str, object]
) -> dict[str, object]:
    """`Call.usage` with one report added: `{"<source> <model>": {"text_in": 10, …, "second": 1.5}}`."""
    key = f"{source} {model}"
    counted = counts_of(usage)
    before = totals.get(key)
    if isinstance(before, Mapping):
        for kind, count in before.items():
            counted[kind] = counted.get(kind, 0) + count
    return {**totals, key: counted}


def set_cost(totals: Mapping[str, object], *, source: str, usd: float) -> dict[str, object]:
    """`Call.usage` with what a session cost by its provider's own account: `{"vapi 7420f27a": {"usd": 0.07}}`."""
    return {**totals, source: {REPORTED: usd}}


@dataclass(frozen=True, slots=True)
class CostPart:
    """What one source has used of one kind: `audio_in` tokens, seconds. `usd` is None where no price is known."""

    source: str
    kind: str
    count: float
    usd: Decimal | None


def cost_of(totals: Mapping[str, object], on: date) -> Decimal | None:
    """The sum in US dollars at that day's prices, or None if any part has no known price.

    A part that its provider has priced itself has that price as `usd`.
    """
    costs = [part.usd for part in cost_parts(totals, on)]
    known = [usd for usd in costs if usd is not None]
    return None if len(known) < len(costs) else sum(known, Decimal(0)).quantize(Decimal("0.000001"))


def cost_parts(totals: Mapping[str, object], on: date) -> Iterator[CostPart]:
    """What makes the cost, by source and kind, at that day's prices. What was not used is left out."""
    for source, counts in totals.items():
        if isinstance(counts, Mapping) and REPORTED in counts:
            yield CostPart(source, REPORTED, 0, Decimal(str(counts[REPORTED])))
            continue
        price = _price_of(source.partition(" ")[2], on)
        if (price is None and not counts) or not isinstance(counts, Mapping):
            yield CostPart(source, "", 0, None)
            continue
        for kind, count in counts.items():
            if count:
                rate: Decimal | None = getattr(price, kind, None)
                per = 1 if kind == "second" else MILLION
                yield CostPart(source, kind, count, None if rate is None else rate * Decimal(str(count)) / per)


def _price_of(model: str, on: date) -> Price | None:
    valid = [price for price in PRICES.get(model, ()) if price.valid_from <= on]
    return max(valid, key=lambda price: price.valid_from) if valid else None


# What a minute of a long call uses at most: the agent speaks all of it (a token is 50 ms of its speech), its words and
# the caller's are read once as new input (100 ms) and again from the cache in six responses of a long conversation
# (developers.openai.com/api/docs/guides/realtime-costs). A call that uses more ends before it costs more.
MINUTE: Mapping[str, int] = {
    "audio_out": 1200, "audio_in": 1800, "audio_cached": 96_000, "text_in": 1000, "text_out": 400, "second": 60,
}  # fmt: skip
# The longest prompt that OpenAI takes, tools included (voiceapp/providers/openai/fields.py).
PROMPT_TOKENS = 16_384


def spending_limit(model: str, *, transcription_model: str, minutes: int, on: date) -> SpendingLimit | None:
    """The most that a call of this length may cost at that day's prices. None if a model's price is not known."""
    rates = {name: _rates(name, on) for name in (model, transcription_model)}
    own = rates[model]
    if not own.get("audio_out") or not rates[transcription_model]:
        return None
    by_kind = {**rates[transcription_model], **own}
    minute = sum(by_kind.get(kind, 0) * count for kind, count in MINUTE.items())
    rest = SpendingLimit(most_usd=0, model=model, rates=rates).most_of_the_rest(text=PROMPT_TOKENS, audio=0)
    most_usd = Decimal(str(minute * minutes + rest)).quantize(Decimal("0.01"), ROUND_UP)
    return SpendingLimit(most_usd=float(most_usd), model=model, rates=rates)


def _rates(model: str, on: date) -> dict[str, float]:
    """US dollars per token or second of each kind."""
    price = _price_of(model, on)
    if price is None:
        return {}
    kinds = {each.name: getattr(price, each.name) for each in fields(price) if each.name != "valid_from"}
    known = {kind: rate for kind, rate in kinds.items() if rate is not None}
    return {kind: float(rate if kind == "second" else rate / MILLION) for kind, rate in known.items()}

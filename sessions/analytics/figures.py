"""The figures of some calls: counts and sums that can be added, and what follows from them. Plain values: no Django."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from .response_times import BUCKETS, percentile_ms

# Columns of the table (models.py) by these names.
COUNTS = (
    "calls", "answered", "converted", "transferred", "after_hours", "talked", "talk_s", "interruptions", "costed",
    "costed_s", "orders", "bookings", "texts",
)  # fmt: skip


@dataclass(slots=True)
class Figures:
    """What the pages say of calls, orders, appointments and texts of the same day, hour, number, version and results.

    `answered`: as on the dashboard. `converted`: answered, and an order or an appointment was made. `after_hours`:
    ended because the organization was closed. `talked`: connected and over, for `talk_s` seconds in all. `costed`:
    with a known cost, `costed_s` seconds of talk. `orders` and `revenue` (by currency) leave out orders that were
    replaced or canceled, `bookings` canceled appointments. `texts`: taken by the carrier.
    """

    calls: int = 0
    answered: int = 0
    converted: int = 0
    transferred: int = 0
    after_hours: int = 0
    talked: int = 0
    talk_s: int = 0
    interruptions: int = 0
    costed: int = 0
    costed_s: int = 0
    orders: int = 0
    bookings: int = 0
    texts: int = 0
    cost_usd: Decimal = Decimal(0)
    revenue: dict[str, Decimal] = field(default_factory=dict)
    responses: list[int] = field(default_factory=lambda: [0] * BUCKETS)

    def add(self, other: Figures) -> None:
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.cost_usd += other.cost_usd
        for currency, total in other.revenue.items():
            self.earn(currency, total)
        self.responses = [one + more for one, more in zip(self.responses, other.responses, strict=True)]

    def earn(self, currency: str, total: Decimal) -> None:
        self.revenue[currency] = self.revenue.get(currency, Decimal(0)) + total

    @property
    def is_empty(self) -> bool:
        return not (any(getattr(self, name) for name in COUNTS) or self.cost_usd or self.revenue)

    @property
    def answer_rate(self) -> float | None:
        return _ratio(self.answered, self.calls)

    @property
    def conversion(self) -> float | None:
        return _ratio(self.converted, self.answered)

    @property
    def duration_s(self) -> float | None:
        """On average, of the calls that were connected."""
        return _ratio(self.talk_s, self.talked)

    @property
    def p50_ms(self) -> float | None:
        return percentile_ms(self.responses, 50)

    @property
    def p95_ms(self) -> float | None:
        return percentile_ms(self.responses, 95)

    @property
    def known_cost_usd(self) -> Decimal | None:
        """None where the cost of no call is known: an unknown cost is never 0."""
        return self.cost_usd if self.costed else None

    @property
    def cost_per_order_usd(self) -> float | None:
        return _ratio(self.cost_usd, self.orders) if self.costed else None

    @property
    def cost_per_minute_usd(self) -> float | None:
        """Of the calls whose cost is known."""
        return _ratio(self.cost_usd * 60, self.costed_s)


def _ratio(part: float | Decimal, whole: int) -> float | None:
    return float(part) / whole if whole else None

"""Where an order is delivered, and for how much, as values, as JSON and as it is said. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NotRequired, TypedDict

from agents.catalog.offers import say_price


class DeliveryJson(TypedDict):
    street: str
    postcode: str
    place: str
    zone: str
    fee: str
    minimum: str
    free_from: NotRequired[str | None]
    minutes: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """An address in a zone, with the zone's terms as they were when it was checked."""

    street: str
    postcode: str
    place: str
    zone: str
    fee: Decimal
    minimum: Decimal
    free_from: Decimal | None
    minutes: int

    @property
    def address(self) -> str:
        return address_line(self.street, self.postcode, self.place)

    def fee_of(self, subtotal: Decimal) -> Decimal:
        """For items of that price."""
        is_free = self.free_from is not None and subtotal >= self.free_from
        return Decimal("0.00") if is_free else self.fee

    def too_little(self, subtotal: Decimal, currency: str) -> str:
        """What the caller hears of an order that is too small for its address; empty if it is not."""
        if subtotal >= self.minimum:
            return ""
        least, now = say_price(self.minimum, currency), say_price(subtotal, currency)
        return f"We deliver to {self.postcode} from {least} on, and this is {now}. Would you like something else?"


def address_line(street: str, postcode: str, place: str) -> str:
    """“12 Main Street, 10115 Berlin”"""
    town = " ".join(filter(None, (postcode, place)))
    return ", ".join(filter(None, (street, town)))


def say_fee(fee: Decimal, currency: str) -> str:
    """“Delivery is 2 euros 50.”"""
    return f"Delivery is {say_price(fee, currency)}." if fee else "Delivery is free."


def delivery_to_json(delivery: Delivery | None) -> DeliveryJson | None:
    if delivery is None:
        return None
    return DeliveryJson(
        street=delivery.street,
        postcode=delivery.postcode,
        place=delivery.place,
        zone=delivery.zone,
        fee=str(delivery.fee),
        minimum=str(delivery.minimum),
        free_from=None if delivery.free_from is None else str(delivery.free_from),
        minutes=delivery.minutes,
    )


def delivery_from_json(row: DeliveryJson | None) -> Delivery | None:
    if not row:
        return None
    free_from = row.get("free_from")
    return Delivery(
        street=row["street"],
        postcode=row["postcode"],
        place=row["place"],
        zone=row["zone"],
        fee=Decimal(row["fee"]),
        minimum=Decimal(row["minimum"]),
        free_from=None if free_from is None else Decimal(free_from),
        minutes=row["minutes"],
    )

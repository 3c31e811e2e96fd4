"""Checks an address, and makes a call's draft one for delivery or for pickup."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from agents.catalog.offers import say_price
from agents.delivery.postcodes import LONGEST_POSTCODE, plain
from agents.delivery.queries import knows_postcodes, places_of, zone_of
from agents.organizations.models import Organization
from sessions.calls.models import Call
from sessions.orders.draft import Refused
from sessions.orders.draft.delivery import Delivery, say_fee

from .drafts import DraftView, draft_view, lock_draft, ordering_organization, save_delivery

WHICH_POSTCODE = "What is your postcode?"
WHICH_NUMBER = "What is your street and house number?"
PICKUP = "You can pick the order up."


@dataclass(frozen=True, slots=True)
class Address:
    """As the caller said it."""

    street: str = ""
    postcode: str = ""
    place: str = ""


def choose_pickup(call: Call, *, now: dt.datetime) -> DraftView:
    """Raises Refused."""
    organization = ordering_organization(call)
    with transaction.atomic():
        draft = lock_draft(call)
        if draft.delivery is not None:
            save_delivery(draft, None, now=now)
    return draft_view(organization, draft)


def choose_delivery(call: Call, address: Address, *, now: dt.datetime) -> DraftView:
    """Deliver the draft to that address; raises Refused with what is missing, or that we do not deliver there."""
    organization = ordering_organization(call)
    delivery = checked(organization, address)
    with transaction.atomic():
        draft = lock_draft(call)
        view = draft_view(organization, draft)
        if view.delivery != delivery:
            save_delivery(draft, delivery, now=now)
    return draft_view(organization, draft)


def terms_of(organization: Organization, address: Address) -> Delivery:
    """The zone of a postcode with its terms; raises Refused."""
    postcode = plain(address.postcode)
    if not postcode or len(postcode) > LONGEST_POSTCODE:
        raise Refused(WHICH_POSTCODE)
    place = _place(organization, postcode, address.place)
    zone = zone_of(organization, postcode)
    if zone is None:
        raise Refused(f"We do not deliver to {postcode}. {PICKUP}")
    return Delivery(
        street=address.street,
        postcode=postcode,
        place=place,
        zone=zone.name,
        fee=zone.fee,
        minimum=zone.minimum,
        free_from=zone.free_from,
        minutes=zone.minutes,
    )


def checked(organization: Organization, address: Address) -> Delivery:
    """The terms of a whole address: a driver does not find a street without a number. Raises Refused."""
    delivery = terms_of(organization, address)
    if not any(each.isdigit() for each in delivery.street):
        raise Refused(f"{say_terms(organization, delivery)} {WHICH_NUMBER}")
    return delivery


def checked_again(organization: Organization, delivery: Delivery) -> Delivery:
    """With the terms as they are now: a zone may have been changed meanwhile. Raises Refused."""
    return checked(organization, Address(delivery.street, delivery.postcode, delivery.place))


def say_terms(organization: Organization, delivery: Delivery) -> str:
    """“We deliver to 10115 Berlin. Delivery is 2 euros 50, from an order of 15 euros on.”"""
    town = " ".join(filter(None, (delivery.postcode, delivery.place)))
    said = f"We deliver to {town}. {say_fee(delivery.fee, organization.currency)}"
    if delivery.minimum:
        said = f"{said.removesuffix('.')}, from an order of {say_price(delivery.minimum, organization.currency)} on."
    return said


def _place(organization: Organization, postcode: str, said: str) -> str:
    """The place of the postcode, where it is known; raises Refused where the two do not fit."""
    places = places_of(organization, postcode)
    if not places:
        if knows_postcodes(organization):
            raise Refused(f"I do not know the postcode {postcode}. Could you say it again?")
        return said
    wanted = said.casefold()
    # “Berlin” and “Berlin-Mitte” are the same to a caller.
    fitting = [place for place in places if wanted and (wanted in place.casefold() or place.casefold() in wanted)]
    if wanted and not fitting:
        raise Refused(f"The postcode {postcode} is in {places[0]}, not in {said}. Which one is right?")
    return said if fitting else (places[0] if len(places) == 1 else "")

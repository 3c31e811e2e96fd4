"""Sample arguments of each tool, from the organization's own menu, services and people."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils import timezone

from agents.catalog.offers import ItemOffer
from agents.catalog.queries import load_catalog, load_services
from agents.organizations.models import Organization

Sample = Callable[[Organization], dict[str, object]]


def sample_arguments(organization: Organization, tool: str) -> dict[str, object]:
    """What the form of a tool begins with; empty where it has no arguments."""
    sample = SAMPLES.get(tool)
    return sample(organization) if sample else {}


def _first_item(organization: Organization) -> ItemOffer | None:
    items = load_catalog(organization.pk, timezone.now()).items
    return next((item for item in items if item.is_available), items[0] if items else None)


def _service(organization: Organization) -> str:
    offers = load_services(organization.pk).offers
    return offers[0].name if offers else ""


def _change(organization: Organization) -> dict[str, object]:
    item = _first_item(organization)
    return {"changes": [{"do": "add", "item": item.name if item else "", "quantity": 1}]}


def _look_up(organization: Organization) -> dict[str, object]:
    item = _first_item(organization)
    return {"query": item.name if item else ""}


def _target(organization: Organization) -> dict[str, object]:
    slug = organization.transfer_targets.values_list("slug", flat=True).first()
    return {"target": slug or "", "reason": "A question"}


def _choice(organization: Organization) -> dict[str, object]:
    return {"service": _service(organization), "time": "tomorrow at 9", "customer_name": "Alice Miller"}


SAMPLES: Mapping[str, Sample] = {
    "look_up_items": _look_up,
    "change_order": _change,
    "choose_delivery": lambda _organization: {"how": "pickup"},
    "submit_order": lambda _organization: {"customer_name": "Alice Miller"},
    "send_text": lambda _organization: {"about": "menu"},
    "transfer_call": _target,
    "look_up_services": lambda organization: {"query": _service(organization)},
    "find_appointment_times": lambda organization: {"service": _service(organization), "when": "tomorrow"},
    "choose_appointment": _choice,
    "move_appointment": lambda _organization: {"appointment": 1, "time": "tomorrow at 9"},
    "cancel_appointment": lambda _organization: {"appointment": 1, "reason": ""},
}

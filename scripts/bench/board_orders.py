"""Orders of the demo organization for its order board, and people who look at it.

Usage, in the environment of the product: python scripts/bench/board_orders.py fill ORG PEOPLE ORDERS, which prints
their sessions; python scripts/bench/board_orders.py move ORG MOVES EVERY_S, which prints when each order was moved.
"""

from __future__ import annotations

import json
import sys
import time
from uuid import UUID

import django


def main() -> None:
    command, org_id, *numbers = sys.argv[1:]
    if command == "fill":
        print(json.dumps(fill(UUID(org_id), people=int(numbers[0]), orders=int(numbers[1]))))
    else:
        print(json.dumps(move(UUID(org_id), moves=int(numbers[0]), every_s=float(numbers[1]))))


def fill(org_id: UUID, *, people: int, orders: int) -> list[str]:
    """The session keys of kitchen users."""
    organization = Organization.objects.get(pk=org_id)
    for number in range(1, orders + 1):
        order = Order.objects.create(
            organization=organization, number=number, currency="EUR", subtotal=10, tax=0, total=10
        )
        for position in range(1, 4):
            OrderLine.objects.create(
                order=order, position=position, item="Margherita", quantity=1, unit_price=3, price=3
            )
    sessions = []
    for number in range(people):
        user = User.objects.create_user(f"kitchen-{number}", is_staff=True)
        Membership.objects.create(organization=organization, user=user, role="kitchen")
        client = Client()
        client.force_login(user)
        sessions.append(client.cookies["sessionid"].value)
    return sessions


def move(org_id: UUID, *, moves: int, every_s: float) -> dict[str, float]:
    """By the order's id: when its move was committed, in seconds of the epoch."""
    moved_at = {}
    for order in Order.objects.filter(organization=org_id, state=OrderState.SUBMITTED).order_by("number")[:moves]:
        move_order(order, to=OrderState.ACCEPTED, by="bench")
        moved_at[str(order.pk)] = time.time()
        time.sleep(every_s)
    return moved_at


if __name__ == "__main__":
    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    from agents.organizations.models import Membership, Organization
    from sessions.orders.models import Order, OrderLine, OrderState
    from sessions.orders.services.states import move_order

    main()

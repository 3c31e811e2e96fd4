"""Owners of an organization who are signed in; prints their sessions.

Usage, in the environment of the product: python scripts/bench/operators.py ORG PEOPLE
"""

from __future__ import annotations

import json
import sys
from uuid import UUID

import django


def sign_in(org_id: UUID, *, people: int) -> list[str]:
    organization = Organization.objects.get(pk=org_id)
    sessions = []
    for number in range(people):
        user = User.objects.create_user(f"owner-{number}", is_staff=True)
        Membership.objects.create(organization=organization, user=user, role="owner")
        client = Client()
        client.force_login(user)
        sessions.append(client.cookies["sessionid"].value)
    return sessions


if __name__ == "__main__":
    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    from agents.organizations.models import Membership, Organization

    print(json.dumps(sign_in(UUID(sys.argv[1]), people=int(sys.argv[2]))))

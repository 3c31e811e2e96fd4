"""Gives somebody of an organization its call page; prints the page's path and their session.

Usage, in the environment of the product: python scripts/bench/open_call_page.py ORG
"""

from __future__ import annotations

import json
import sys

import django


def open_call_page(org_id: str) -> dict[str, str]:
    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    from agents.organizations.models import Membership, Organization

    organization = Organization.objects.get(pk=org_id)
    user = User.objects.create_user("bench-caller", is_staff=True)
    Membership.objects.create(user=user, organization=organization, role="owner")
    browser = Client(HTTP_HOST="127.0.0.1")
    browser.force_login(user)
    return {"path": f"/call/{organization.slug}", "session": browser.cookies["sessionid"].value}


if __name__ == "__main__":
    print(json.dumps(open_call_page(sys.argv[1])))

"""A Clerk whose key we hold, and Alice's organisation."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from agents.models import Organization
from voiceapp.tests.providers.clerk_instance import PAGE, ClerkInstance, pem

from .builders import make_organization


@pytest.fixture
def clerk(settings: Settings) -> ClerkInstance:
    instance = ClerkInstance()
    settings.CLERK_ISSUER = instance.issuer
    settings.CLERK_JWT_KEY = pem("ins_first")
    settings.CLERK_AUTHORIZED_PARTIES = [PAGE]
    return instance


@pytest.fixture
def harbour(db: None) -> Organization:
    return make_organization("Harbour", clerk_id="org_harbour")


@pytest.fixture
def meadow(db: None) -> Organization:
    return make_organization("Meadow", clerk_id="org_meadow")


@pytest.fixture
def visitor() -> Client:
    """A client that Django does not spare the check for forged requests."""
    return Client(enforce_csrf_checks=True)

"""Clients that ask without a server between, and two of the people's organizations."""

from __future__ import annotations

import pytest
from django.test import Client

from agents.tests.people import clerk, harbour, meadow

__all__ = ["clerk", "harbour", "meadow"]


@pytest.fixture
def visitor() -> Client:
    """A client that Django does not spare the check for forged requests."""
    return Client(enforce_csrf_checks=True)

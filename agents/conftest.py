"""A client that calls Django without a server, and two organizations."""

from __future__ import annotations

import pytest
from django.test import Client

from agents.tests.people import clerk, harbour, meadow

__all__ = ["clerk", "harbour", "meadow"]


@pytest.fixture
def visitor() -> Client:
    """A client for which Django checks CSRF tokens."""
    return Client(enforce_csrf_checks=True)

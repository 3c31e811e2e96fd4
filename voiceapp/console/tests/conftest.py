"""Alice owns Harbour; Charlie's house is Meadow, and nobody of Harbour may ever read that word."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from .world import World, make_world


@pytest.fixture
def harbour(db: None) -> World:
    return make_world("Harbour", digits="01")


@pytest.fixture
def meadow(db: None) -> World:
    world = make_world("Meadow", digits="77")
    world.member("owner", "charlie-meadow")
    return world


@pytest.fixture
def alice(harbour: World) -> User:
    return harbour.member("owner", "alice")


@pytest.fixture
def client_of_alice(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client

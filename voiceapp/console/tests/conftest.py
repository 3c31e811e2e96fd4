"""Alice owns Harbour; Charlie owns Meadow, and no member of Harbour may ever read that name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from .world import World, make_world


def make_harbour() -> World:
    return make_world("Harbour", digits="01")


def make_meadow() -> World:
    world = make_world("Meadow", digits="77")
    world.member("owner", "charlie-meadow")
    return world


@pytest.fixture
def harbour(db: None) -> World:
    return make_harbour()


@pytest.fixture
def meadow(db: None) -> World:
    return make_meadow()


@pytest.fixture(scope="module")
def worlds_of_module(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[World, World]]:
    """Harbour and Meadow, made once for a module of hundreds of tests: each test works in a savepoint of this
    transaction, on copies of the rows.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_harbour(), make_meadow()
        transaction.set_rollback(True)


@pytest.fixture
def alice(harbour: World) -> User:
    return harbour.member("owner", "alice")


@pytest.fixture
def client_of_alice(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client

"""An organization's webhook secret is sealed in the database, is its own, and outlives a new SECRET_KEY."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.messages.signing import signing_secret_of
from voiceapp.core.jobs.engine import NotConfigured
from voiceapp.core.secret_box import SealBroken

pytestmark = pytest.mark.django_db


@pytest.fixture
def harbor() -> Organization:
    return Organization.objects.create(name="Harbor", slug="harbor")


def test_each_organization_gets_a_secret_that_the_database_does_not_show(harbor: Organization) -> None:
    secret = harbor.orders_secret
    assert len(secret) == 64
    other = Organization.objects.create(name="Other", slug="other")
    assert other.orders_secret != secret
    row = Organization.objects.values().get(pk=harbor.pk)
    assert secret not in str(row)
    harbor.save()
    assert Organization.objects.get(pk=harbor.pk).orders_secret == secret


def test_a_secret_that_was_moved_to_another_organization_signs_nothing(harbor: Organization) -> None:
    moved = Organization.objects.create(name="Other", slug="other", sealed_orders_secret=harbor.sealed_orders_secret)
    with pytest.raises(SealBroken):
        _ = moved.orders_secret
    with pytest.raises(NotConfigured, match="Enter a new one"):
        signing_secret_of(moved)


def test_it_is_sealed_again_by_a_new_secret_key(harbor: Organization, settings: Settings) -> None:
    secret = harbor.orders_secret
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 50
    call_command("reseal_keys")
    settings.SECRET_KEY_FALLBACKS = []
    harbor.refresh_from_db()
    assert signing_secret_of(harbor) == secret


def test_one_that_no_key_opens_is_named_and_left(harbor: Organization, settings: Settings) -> None:
    settings.SECRET_KEY = "n" * 50
    with pytest.raises(CommandError, match="the order webhook secret of Harbor"):
        call_command("reseal_keys")
    before = harbor.sealed_orders_secret
    harbor.refresh_from_db()
    assert harbor.sealed_orders_secret == before

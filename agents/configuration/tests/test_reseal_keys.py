"""After `reseal_keys` the earlier SECRET_KEY is not needed any more."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from agents.configuration.models import RealtimeEndpoint
from agents.organizations.models import Organization
from voiceapp.core.secret_box import SealBroken

KEY = "sk-of-harbour"


@pytest.fixture
def endpoint(harbour: Organization) -> RealtimeEndpoint:
    endpoint = RealtimeEndpoint(organization=harbour, origin="https://voice.example.com")
    endpoint.api_key = KEY
    endpoint.save()
    return endpoint


@pytest.fixture
def rotated(endpoint: RealtimeEndpoint, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 50


@pytest.mark.usefixtures("rotated")
def test_keys_are_sealed_by_the_new_secret_key(
    endpoint: RealtimeEndpoint, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("reseal_keys")
    settings.SECRET_KEY_FALLBACKS = []
    endpoint.refresh_from_db()
    assert endpoint.api_key == KEY
    said = capsys.readouterr()
    assert said.out == "Sealed by SECRET_KEY: 1 (realtime endpoint: 1).\n"
    assert KEY not in said.out + said.err


@pytest.mark.usefixtures("rotated")
def test_what_no_key_opens_is_named_and_left(endpoint: RealtimeEndpoint, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(CommandError, match=r"https://voice\.example\.com of Harbour"):
        call_command("reseal_keys")
    before = endpoint.sealed_key
    endpoint.refresh_from_db()
    assert endpoint.sealed_key == before
    with pytest.raises(SealBroken):
        _ = endpoint.api_key

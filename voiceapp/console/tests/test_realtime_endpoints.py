"""Owners and managers list where browser sessions may be minted; keys are written, sealed and never read."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents.configuration.models import RealtimeEndpoint
from voiceapp.core.secret_box import SealBroken

from .world import World

ADD = "/admin/agents/realtimeendpoint/add/"
KEY = "sk-secret-of-harbour"


def only(world: World) -> RealtimeEndpoint:
    return RealtimeEndpoint.objects.get(pk=world[RealtimeEndpoint].pk)


def change(client: Client, endpoint: RealtimeEndpoint, **form: str) -> int:
    address = reverse("admin:agents_realtimeendpoint_change", args=(endpoint.pk,))
    return client.post(address, {"origin": endpoint.origin, "new_key": "", **form}).status_code


def test_an_address_is_added_with_its_key_which_is_sealed(client_of_alice: Client, harbour: World) -> None:
    form = {"origin": "https://Voice.Example.com/v1/realtime/sessions", "new_key": KEY}
    assert client_of_alice.post(ADD, form).status_code == 302
    endpoint = RealtimeEndpoint.objects.get(origin="https://voice.example.com")
    assert (endpoint.organization, endpoint.api_key) == (harbour.organization, KEY)
    assert KEY not in endpoint.sealed_key


@pytest.mark.parametrize(
    "origin",
    [
        "http://voice.example.com",
        "https://voice.example.com:8443",
        "https://93.184.216.34",
        "https://localhost",
        "https://user@voice.example.com",
        "https://api.openai.com",
        "https://voice.example.com#x",
        "wss://voice.example.com",
        "voice.example.com",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_plain_https_name_is_not_added(client_of_alice: Client, origin: str) -> None:
    before = RealtimeEndpoint.objects.count()
    assert client_of_alice.post(ADD, {"origin": origin, "new_key": KEY}).status_code == 200
    assert RealtimeEndpoint.objects.count() == before


@pytest.mark.parametrize("key", ["", "short", "with spaces in it", "schlüssel-der-lang-ist", "line\nline\nline"])
def test_an_address_needs_a_usable_key(client_of_alice: Client, key: str) -> None:
    before = RealtimeEndpoint.objects.count()
    page = client_of_alice.post(ADD, {"origin": "https://voice.example.com", "new_key": key})
    assert (page.status_code, RealtimeEndpoint.objects.count()) == (200, before)


def test_an_address_stands_once_in_an_organization(client_of_alice: Client, harbour: World, meadow: World) -> None:
    again = {"origin": harbour[RealtimeEndpoint].origin, "new_key": KEY}
    assert client_of_alice.post(ADD, again).status_code == 200
    same_as_meadows = {"origin": meadow[RealtimeEndpoint].origin, "new_key": KEY}
    assert client_of_alice.post(ADD, same_as_meadows).status_code == 302
    assert RealtimeEndpoint.objects.count() == 3


def test_the_key_is_kept_replaced_and_never_shown(client_of_alice: Client, harbour: World) -> None:
    endpoint = harbour[RealtimeEndpoint]
    page = client_of_alice.get(reverse("admin:agents_realtimeendpoint_change", args=(endpoint.pk,)))
    for secret in ("Harbour-endpoint-key", endpoint.sealed_key):
        assert secret not in page.content.decode()
    assert change(client_of_alice, endpoint) == 302
    assert only(harbour).api_key == "Harbour-endpoint-key"
    assert change(client_of_alice, endpoint, new_key=KEY) == 302
    assert only(harbour).api_key == KEY
    assert only(harbour).key_set_at > endpoint.key_set_at


def test_a_key_does_not_follow_to_another_address(client_of_alice: Client, harbour: World) -> None:
    endpoint = harbour[RealtimeEndpoint]
    assert change(client_of_alice, endpoint, origin="https://evil.example.com") == 200
    assert only(harbour).origin == endpoint.origin
    assert change(client_of_alice, endpoint, origin="https://new.example.com", new_key=KEY) == 302
    assert (only(harbour).origin, only(harbour).api_key) == ("https://new.example.com", KEY)


def test_a_key_that_was_moved_in_the_database_cannot_be_read(harbour: World, meadow: World) -> None:
    sealed = harbour[RealtimeEndpoint].sealed_key
    RealtimeEndpoint.objects.filter(pk=harbour[RealtimeEndpoint].pk).update(origin="https://evil.example.com")
    RealtimeEndpoint.objects.filter(pk=meadow[RealtimeEndpoint].pk).update(sealed_key=sealed)
    for world in (harbour, meadow):
        with pytest.raises(SealBroken):
            _ = only(world).api_key


def test_a_rotated_secret_key_still_opens_what_it_sealed(harbour: World, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another secret key of fifty signs" * 2
    assert only(harbour).api_key == "Harbour-endpoint-key"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(SealBroken):
        _ = only(harbour).api_key


@pytest.mark.parametrize("role", ["staff", "kitchen", "viewer"])
def test_other_roles_do_not_meet_them(role: str, harbour: World) -> None:
    client = Client()
    client.force_login(harbour.member(role))
    assert client.get("/admin/agents/realtimeendpoint/").status_code == 403
    assert client.post(ADD, {"origin": "https://voice.example.com", "new_key": KEY}).status_code == 403

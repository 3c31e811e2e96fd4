"""The page of a version says whether callers hear the kept greeting, plays it, and has it made again."""

from __future__ import annotations

import struct

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from agents.configuration.models import Agent, AgentVersion
from agents.greetings.models import KeptGreeting
from agents.organizations.roles import Role

from .world import World

State = KeptGreeting.State
AUDIO = bytes(range(256)) * 100


@pytest.fixture
def version(harbour: World) -> AgentVersion:
    published: AgentVersion = harbour[Agent].published_version
    return published


@pytest.fixture
def kept(version: AgentVersion) -> KeptGreeting:
    """Made by a worker after the version was published."""
    KeptGreeting.objects.update(state=State.DONE, done_at=timezone.now(), audio=AUDIO)
    return version.agent.organization.kept_greetings.get()


def page_of(client: Client, version: AgentVersion) -> str:
    return client.get(reverse("admin:agents_agentversion_change", args=(version.pk,))).content.decode()


def sound_of(version: AgentVersion) -> str:
    return reverse("admin:agents_agentversion_greeting", args=(version.pk,))


def test_a_greeting_that_is_ready_can_be_heard(
    client_of_alice: Client, version: AgentVersion, kept: KeptGreeting
) -> None:
    page = page_of(client_of_alice, version)
    assert "Ready: 3.2 s, spoken by marin, made " in page
    assert "Callers hear it at once." in page
    assert f'<audio controls preload="metadata" src="{sound_of(version)}?made=' in page
    response = client_of_alice.get(sound_of(version))
    assert response["Content-Type"] == "audio/wav"
    riff, size, wave, fmt, length, form, channels, rate = struct.unpack("<4sI4s4sIHHI", response.content[:28])
    assert (riff, wave, fmt, length) == (b"RIFF", b"WAVE", b"fmt ", 18)
    assert (form, channels, rate, size) == (7, 1, 8_000, len(response.content) - 8)
    assert response.content.endswith(b"data" + struct.pack("<I", len(AUDIO)) + AUDIO)


@pytest.mark.parametrize(
    ("wanted", "first", "end"), [("bytes=0-1", 0, 2), ("bytes=100-", 100, None), ("bytes=5-99999999", 5, None)]
)
def test_a_part_of_it_is_sent_on_request(
    client_of_alice: Client, version: AgentVersion, kept: KeptGreeting, wanted: str, first: int, end: int | None
) -> None:
    whole = client_of_alice.get(sound_of(version)).content
    part = client_of_alice.get(sound_of(version), headers={"Range": wanted})
    assert (part.status_code, part.content) == (206, whole[first:end])
    assert part["Content-Range"] == f"bytes {first}-{(end or len(whole)) - 1}/{len(whole)}"


@pytest.mark.parametrize("wanted", ["bytes=99999999-", "bytes=9-2", "bytes=-5", "lines=1-2", "bytes=a-b"])
def test_a_part_that_is_not_understood_gets_all(
    client_of_alice: Client, version: AgentVersion, kept: KeptGreeting, wanted: str
) -> None:
    response = client_of_alice.get(sound_of(version), headers={"Range": wanted})
    assert (response.status_code, response.content) == (200, client_of_alice.get(sound_of(version)).content)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": State.WAITING}, "Being made by a worker. Until then the model speaks the greeting."),
        (
            {"state": State.WAITING, "attempts": 2, "last_error": "openai: HTTP 503"},
            "Being made by a worker. Retrying, 2 attempts failed: openai: HTTP 503. Until then",
        ),
        (
            {"state": State.FAILED, "last_error": "openai: said “Beep” instead of the greeting"},
            "Failed: openai: said “Beep” instead of the greeting. The model speaks the greeting in each call.",
        ),
        ({"voice": "cedar"}, "Not made for the current voice and model."),
    ],
)
def test_one_that_is_not_ready_says_why(
    client_of_alice: Client, version: AgentVersion, kept: KeptGreeting, change: dict[str, object], words: str
) -> None:
    KeptGreeting.objects.update(**change)
    page = page_of(client_of_alice, version)
    assert words in page
    assert "<audio" not in page
    assert client_of_alice.get(sound_of(version)).status_code == 404


def test_it_is_made_again_on_request(client_of_alice: Client, version: AgentVersion, kept: KeptGreeting) -> None:
    press = reverse("admin:agents_agentversion_press", args=(version.pk, "make-greeting"))
    assert "The greeting is being made." in client_of_alice.post(press, follow=True).content.decode()
    kept.refresh_from_db()
    assert kept.state == State.WAITING


def test_one_that_was_never_made_is_made_on_request(client_of_alice: Client, version: AgentVersion) -> None:
    KeptGreeting.objects.all().delete()
    client_of_alice.post(reverse("admin:agents_agentversion_press", args=(version.pk, "make-greeting")))
    assert KeptGreeting.objects.get().greeting == version.spoken_greeting


def test_switched_off_it_says_so_and_cannot_be_made(
    client_of_alice: Client, version: AgentVersion, kept: KeptGreeting, settings: Settings
) -> None:
    settings.KEEP_GREETINGS = False
    page = page_of(client_of_alice, version)
    assert "Off (KEEP_GREETINGS)." in page
    assert "Make the greeting audio again" not in page


def test_charlie_hears_nothing_and_staff_cannot_have_it_made(
    harbour: World, meadow: World, version: AgentVersion, kept: KeptGreeting
) -> None:
    charlie, bob = Client(), Client()
    charlie.force_login(meadow.member(Role.OWNER, "charlie"))
    bob.force_login(harbour.member(Role.STAFF, "bob"))
    press = reverse("admin:agents_agentversion_press", args=(version.pk, "make-greeting"))
    assert charlie.get(sound_of(version)).status_code in (302, 404)
    assert charlie.post(press).status_code in (302, 404)
    assert bob.post(press).status_code in (302, 403, 404)
    assert Client().get(sound_of(version)).status_code == 302
    kept.refresh_from_db()
    assert kept.state == State.DONE

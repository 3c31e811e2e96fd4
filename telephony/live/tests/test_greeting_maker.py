"""A worker has the provider speak the greeting, and keeps it if that is what was said."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_django import Settings

from agents.greetings.models import KeptGreeting
from agents.greetings.services import greetings
from agents.tests.builders import make_agent, make_organization
from telephony.bridge.core.ulaw import BYTES_PER_MS, SILENCE
from telephony.live import greeting_maker
from telephony.live.greeting_maker import letters_of, without_leading_silence

from .conftest import API_KEY, LoopThread, Provider
from .scripted_provider import provider_that_requests

pytestmark = pytest.mark.django_db

State = KeptGreeting.State
SOUND = bytes(range(0x20, 0x60))


@pytest.fixture(autouse=True)
def key(settings: Settings) -> None:
    settings.OPENAI_API_KEY = API_KEY


def attempt(text: str = "Welcome to Luigi's! How can I help?") -> KeptGreeting:
    """Publish an agent with this greeting and let a worker attempt it once."""
    make_agent(make_organization(), greeting=text)
    greetings.process_due()
    return KeptGreeting.objects.get()


@contextmanager
def scripted() -> Iterator[str]:
    """A provider that says “Beep.” whatever is requested: its URL."""
    thread = LoopThread()
    url: list[str] = []
    is_up, is_over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with provider_that_requests() as provider:
            url.append(provider.base_url)
            is_up.set()
            await is_over.wait()

    serving = asyncio.run_coroutine_threadsafe(serve(), thread.loop)
    assert is_up.wait(5)
    yield url[0]
    thread.loop.call_soon_threadsafe(is_over.set)
    serving.result(timeout=5)
    thread.stop()


def test_it_is_spoken_and_kept(openai: Provider, settings: Settings) -> None:
    settings.OPENAI_BASE_URL = openai.url()
    kept = attempt()
    assert (kept.state, kept.last_error) == (State.DONE, "")
    audio = bytes(kept.audio)
    assert 1_000 * BYTES_PER_MS < len(audio) < 6_000 * BYTES_PER_MS
    assert without_leading_silence(audio) == audio
    assert kept.made_at is not None


def test_other_words_are_not_kept(settings: Settings) -> None:
    with scripted() as settings.OPENAI_BASE_URL:
        kept = attempt()
    assert (kept.state, kept.attempts, bytes(kept.audio)) == (State.WAITING, 1, b"")
    assert kept.last_error == "openai: said “Beep.” instead of the greeting"


def test_the_same_words_in_another_spelling_are(settings: Settings) -> None:
    with scripted() as settings.OPENAI_BASE_URL:
        kept = attempt("“Beep”!")
    assert kept.state == State.DONE
    assert len(kept.audio) == 200 * BYTES_PER_MS


@pytest.mark.parametrize(
    ("fault", "state", "error"),
    [
        ("refuse=503", State.WAITING, "HTTP 503"),
        ("refuse=403", State.FAILED, "HTTP 403"),
        ("fail_response", State.WAITING, "server_error"),
        ("limited=60000", State.WAITING, "rate_limit_exceeded"),
        ("ends=empty", State.WAITING, "no_audio"),
        ("ends=cut", State.WAITING, "max_output_tokens"),
        ("drop_in_response", State.WAITING, "connection lost"),
        ("error_event=insufficient_quota", State.FAILED, "insufficient_quota"),
        ("accept_hang", State.WAITING, "did not speak within 1 s"),
        ("garbage", State.DONE, ""),
    ],
)
def test_a_fault_of_the_provider_is_retried_unless_it_is_for_good(
    fault: str, state: str, error: str, openai: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "accept_hang":
        monkeypatch.setattr(greeting_maker, "MAKE_WITHIN_S", 1.0)
    settings.OPENAI_BASE_URL = openai.url(fault)
    kept = attempt("Hello!")
    assert (kept.state, kept.last_error) == (state, error and f"openai: {error}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello, how can I help?", "hello how can I help"),
        ("Café Zoë — 24/7", "Cafe Zoe: 24 7."),
        ("Grüß Gott!", "Grüss Gott"),
        ("ようこそ！", "ようこそ"),
    ],
)
def test_spellings_of_the_same_words_are_equal(one: str, other: str) -> None:
    assert letters_of(one) == letters_of(other)


@pytest.mark.parametrize("said", ["Sure! Hello, how can I help?", "Hello, how can I", "Hello, how may I help?", ""])
def test_other_words_are_not_equal(said: str) -> None:
    assert letters_of(said) != letters_of("Hello, how can I help?")


@pytest.mark.parametrize(("silent_ms", "left_ms"), [(0, 0), (30, 30), (40, 40), (500, 40), (1_234, 44)])
def test_silence_before_the_first_sound_is_cut_to_a_moment(silent_ms: int, left_ms: int) -> None:
    sound = SOUND * 100
    trimmed = without_leading_silence(SILENCE * (silent_ms * BYTES_PER_MS) + sound)
    assert trimmed == SILENCE * (left_ms * BYTES_PER_MS) + sound


def test_silence_alone_is_nothing() -> None:
    assert without_leading_silence(SILENCE * 8_000) == b""

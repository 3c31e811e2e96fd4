"""No secret and no whole phone number reaches a line of the log, wherever in the line it stands."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import cast

import pytest
import structlog
from pytest_django import Settings

from voiceapp.core import logs
from voiceapp.core.logs import own_secrets, redact

SECRET = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE"
FEED = f"/calendar/{SECRET}.ics"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Internal Server Error: {FEED}", "Internal Server Error: /calendar/…"),
        (f"https://voice.example.com{FEED}?x=1", "https://voice.example.com/calendar/…"),
        (f'"WebSocket /rtc?access_token={SECRET}&v=2" [accepted]', '"WebSocket /rtc?access_token=…&v=2" [accepted]'),
        (f"GET /admin/sign-in?token={SECRET}", "GET /admin/sign-in?token=…"),
        (f"https://s3/a.ogg?X-Amz-Expires=300&X-Amz-Signature={SECRET}", "https://s3/a.ogg?X-Amz-Expires=300&X-Amz-Signature=…"),
        (f"Authorization: Bearer {SECRET}", "Authorization: Bearer …"),
        (f'{{"headers": {{"X-Vapi-Secret": "{SECRET}"}}}}', '{"headers": {"X-Vapi-Secret": "…"}}'),
        (f"refused va_abcdefghij_{SECRET} of Alice", "refused … of Alice"),
        ("key sk-proj-abcdefghijklmnop1234 is wrong", "key … is wrong"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "…"),
        ("cannot reach redis://:p4ss@10.0.0.1:6379/0", "cannot reach redis://:…@10.0.0.1:6379/0"),
        ("postgres://voice:p4ss@db/voice", "postgres://voice:…@db/voice"),
        ("http://127.0.0.1:8000/a@b", "http://127.0.0.1:8000/a@b"),
        ("from +4917612345678", "from …78"),
        ("?from=%2B4917612345678&to=1", "?from=…78&to=1"),
        ("path /api/voice/token, state 3, code: 404", "path /api/voice/token, state 3, code: 404"),
        ('{"state": "failed", "key": "recordings/a.wav"}', '{"state": "failed", "key": "recordings/a.wav"}'),
        ("the calendar /calendars/ has no event", "the calendar /calendars/ has no event"),
    ],
)  # fmt: skip
def test_a_line_shows_where_a_secret_was_and_not_the_secret(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.fixture
def own_settings(settings: Settings) -> Iterator[None]:
    settings.TWILIO_AUTH_TOKEN = "first-token-of-twilio, second-token-of-twilio"
    settings.SECRET_KEY_FALLBACKS = ["the-secret-key-before"]
    settings.INTERNAL_API_KEY = "short"
    own_secrets.cache_clear()
    yield
    own_secrets.cache_clear()


@pytest.mark.usefixtures("own_settings")
def test_values_of_secret_settings_are_hidden_wherever_they_stand() -> None:
    said = "used second-token-of-twilio/first-token-of-twilio and the-secret-key-before, in short"
    assert redact(said) == "used …/… and …, in short"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the process's own chain writes, as JSON."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level, chain = root.handlers[:], root.level, structlog.get_config()
    logs.configure()
    cast("logging.StreamHandler[io.StringIO]", root.handlers[0]).setStream(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**chain)  # the same list of processors, which loggers in use keep, and in which capture_logs is


def test_an_unhandled_error_is_logged_without_the_secret_of_its_path(lines: io.StringIO) -> None:
    try:
        raise ValueError(f"cannot write {FEED}")
    except ValueError:
        logging.getLogger("django.request").exception("Internal Server Error: %s", FEED)
    line = json.loads(lines.getvalue())
    assert "Traceback" in line["exception"]
    assert SECRET not in lines.getvalue()


def test_nested_values_and_paths_are_redacted_too(lines: io.StringIO) -> None:
    structlog.get_logger("request").info("request", path=FEED, fields={"token": SECRET, "from": "+4917612345678"})
    line = json.loads(lines.getvalue())
    assert line["path"] == "/calendar/…"
    assert line["fields"] == {"token": "…", "from": "…78"}

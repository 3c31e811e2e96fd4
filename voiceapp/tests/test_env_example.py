"""`.env.example` lists every key that the settings read and no other, and can be used as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / ".env.example").read_text()
LISTED = re.findall(r"^#?([A-Z][A-Z0-9_]*)=", EXAMPLE, re.M)
READ = set(re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z][A-Z0-9_]*)"', (ROOT / "voiceapp/settings.py").read_text()))
COMPOSED = set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", (ROOT / "docker-compose.yml").read_text()))


def test_the_pattern_finds_the_keys_of_the_settings() -> None:
    # A pattern that finds nothing would let the other tests pass.
    assert {"SECRET_KEY", "DATABASE_URL", "TWILIO_AUTH_TOKEN", "PORT"} <= READ


def test_every_key_is_listed_once() -> None:
    assert sorted(LISTED) == sorted(set(LISTED))
    assert set(LISTED) >= READ | COMPOSED


def test_no_key_is_listed_that_is_never_read() -> None:
    assert set(LISTED) <= READ | COMPOSED


def test_every_key_stands_under_a_word_on_it() -> None:
    for block in re.split(r"\n\s*\n", EXAMPLE):
        lines = block.splitlines()
        if any(re.match(r"#?[A-Z][A-Z0-9_]*=", line) for line in lines):
            assert lines[0].startswith("# "), block


def test_what_is_commented_out_can_be_taken_in() -> None:
    given = dict(re.findall(r"^#([A-Z][A-Z0-9_]*)=(.+)$", EXAMPLE, re.M))
    assert "PORT" in given
    environment = {"PATH": "/usr/bin", "DJANGO_SETTINGS_MODULE": "voiceapp.settings"} | given
    code = "import django; django.setup(); from django.core.management import call_command; call_command('check')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

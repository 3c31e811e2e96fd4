"""Compiled catalogs: `django.mo` beside each `django.po`, made anew by the first process that finds an older one.

They are not committed. Whoever starts the project has them: `make run`, a test, the image's build.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import structlog

logger = structlog.get_logger(__name__)
LOCALE = Path(__file__).resolve().parents[2] / "locale"
COMPILER = "voiceapp.core.translations.compiling"


def stale_catalogs(locale: Path = LOCALE) -> Iterator[Path]:
    """The sources whose compiled file is missing or older."""
    for source in sorted(locale.glob("*/LC_MESSAGES/django.po")):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime_ns < source.stat().st_mtime_ns:
            yield source


def compile_stale_catalogs(locale: Path = LOCALE) -> None:
    """In a process of its own, so that no other loads the compiler. Without a catalog, pages are in English."""
    stale = [str(path) for path in stale_catalogs(locale)]
    if not stale:
        return
    done = subprocess.run(
        [sys.executable, "-m", COMPILER, *stale], cwd=LOCALE.parents[1], capture_output=True, text=True
    )
    if done.returncode:
        last_line = done.stderr.strip().rpartition("\n")[2]
        logger.warning("translations_not_compiled", files=stale, error=last_line)

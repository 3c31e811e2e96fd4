"""`python -m voiceapp.core.translations.compiling FILE.po …`: writes each FILE.mo, without GNU gettext."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def compile_catalog(source: Path) -> None:
    """In one step, and with the source's time: another process never reads half a file, nor one of an older source."""
    compiled = source.with_suffix(".mo")
    half = compiled.with_suffix(f".{os.getpid()}")
    changed_at_ns = source.stat().st_mtime_ns
    try:
        with source.open("rb") as texts, half.open("wb") as file:
            write_mo(file, read_po(texts, abort_invalid=True))
        os.utime(half, ns=(changed_at_ns, changed_at_ns))
        half.replace(compiled)
    finally:
        half.unlink(missing_ok=True)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        compile_catalog(Path(name))

"""A calendar server for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .radicale_server import RadicaleServer, radicale_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RadicaleServer]:
    with radicale_server(tmp_path) as server:
        yield server

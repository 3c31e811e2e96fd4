"""A website of somebody else's with the button that opens a call page."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization

WEBSITE = """<!doctype html><title>A restaurant</title><h1>Our restaurant</h1>
<script src="{server}/static/voiceapp/embed.js" data-page="{server}/call/{slug}"
 data-label="Talk to us" async></script>"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing on the tests' output."""


@pytest.fixture
def website(tmp_path: Path) -> Iterator[str]:
    """Another site than the server's: its name is 127.0.0.1, not localhost."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def write_page(folder: Path, live_server: LiveServer, organization: Organization) -> None:
    (folder / "index.html").write_text(WEBSITE.format(server=live_server.url, slug=organization.slug))

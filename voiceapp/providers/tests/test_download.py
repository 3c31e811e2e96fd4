"""A file at an address that a provider names: only from where it may come, and only as much as it may be."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from voiceapp.providers.pinned_http import AddressRefused, NoResponse, PinnedHttp, TooLarge

BODY = b"sound" * 1000


class Files(BaseHTTPRequestHandler):
    """`/file`, and addresses that redirect."""

    def do_GET(self) -> None:
        to = {"/once": "/file", "/forever": "/forever", "/inside": "http://10.0.0.1/x", "/odd": "ftp://example.com/x"}
        if self.path in to:
            self.send_response(302)
            self.send_header("Location", to[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/gone":
            self.send_error(404)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(10)


def download(url: str, *, largest: int = len(BODY), may_connect: bool = True) -> tuple[int, bytes]:
    http = PinnedHttp(lambda ip: may_connect and ip == "127.0.0.1", whole_s=10, max_body_bytes=largest)
    into = io.BytesIO()
    response = http.download(httpx.URL(url), into, is_allowed=lambda named: named.scheme == "http")
    return response.status, into.getvalue()


@pytest.mark.parametrize("path", ["/file", "/once"])
def test_a_file_is_written_also_after_a_redirect(address: str, path: str) -> None:
    assert download(address + path) == (200, BODY)


def test_a_status_that_is_no_success_writes_nothing(address: str) -> None:
    assert download(f"{address}/gone") == (404, b"")


@pytest.mark.parametrize("path", ["/inside", "/odd"])
def test_a_redirect_leads_nowhere_else(address: str, path: str) -> None:
    with pytest.raises(AddressRefused):
        download(address + path)


def test_no_connection_is_made_where_none_may_be(address: str) -> None:
    with pytest.raises(AddressRefused):
        download(f"{address}/file", may_connect=False)


def test_redirects_and_size_have_bounds(address: str) -> None:
    with pytest.raises(NoResponse, match="too many redirects"):
        download(f"{address}/forever")
    with pytest.raises(TooLarge):
        download(f"{address}/file", largest=len(BODY) - 1)

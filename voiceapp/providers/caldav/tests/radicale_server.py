"""A real CalDAV server on loopback: Radicale, with a user of its own, whose access tests can take away."""

from __future__ import annotations

import contextlib
import socketserver
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from hashlib import md5
from pathlib import Path
from typing import Any
from urllib.request import parse_http_list, parse_keqv_list
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
from radicale import config
from radicale.app import Application

USERNAME, PASSWORD = "garage", "torque wrench"
NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c0"
StartResponse = Callable[..., Any]


class ThreadingServer(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class RadicaleServer:
    """`base_url` has one calendar, `calendar_url`. With `status` set, that is all it responds."""

    def __init__(self, folder: Path) -> None:
        users = folder / "users"
        users.write_text(f"{USERNAME}:{PASSWORD}\n")
        settings = config.load()
        settings.update(
            {
                "auth": {
                    "type": "htpasswd",
                    "htpasswd_filename": str(users),
                    "htpasswd_encryption": "plain",
                    "delay": 0,
                },
                "storage": {"filesystem_folder": str(folder / "collections")},
                "rights": {"type": "owner_only"},
            },
            "tests",
        )
        self._radicale = Application(settings)
        self._server = make_server("127.0.0.1", 0, self._respond, ThreadingServer, Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="radicale")
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"
        self.calendar_url = f"{self.base_url}/{USERNAME}/lift-1/"
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self.pause_s = 0.0
        self.wants_digest = False
        self.requests: list[tuple[str, str]] = []

    def _respond(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        time.sleep(self.pause_s)
        if self.status:
            start_response(self.status, self.headers)
            return [self.body]
        if environ["PATH_INFO"] == "/.well-known/caldav":
            start_response("301 Moved", [("Location", f"/{USERNAME}/")])
            return []
        if self.wants_digest and not self._is_signed(environ):
            challenge = f'Digest realm="garage", nonce="{NONCE}", qop="auth", algorithm=MD5'
            start_response("401 Unauthorized", [("WWW-Authenticate", challenge)])
            return []
        return self._radicale(environ, start_response)

    def _is_signed(self, environ: dict[str, Any]) -> bool:
        """RFC 7616, 3.4.1; a signed request reaches Radicale as one with a password."""
        kind, _, text = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        given = parse_keqv_list(parse_http_list(text)) if kind == "Digest" else {}
        secret = md5(f"{USERNAME}:garage:{PASSWORD}".encode()).hexdigest()
        request = md5(f"{environ['REQUEST_METHOD']}:{given.get('uri')}".encode()).hexdigest()
        parts = (secret, NONCE, given.get("nc"), given.get("cnonce"), given.get("qop"), request)
        environ["HTTP_AUTHORIZATION"] = "Basic " + b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        return given.get("response") == md5(":".join(map(str, parts)).encode()).hexdigest()

    # What a person does in the calendar

    def send(self, method: str, url: str, content: str = "", **headers: str) -> httpx.Response:
        """A request of a person's calendar program."""
        with httpx.Client(auth=(USERNAME, PASSWORD), trust_env=False) as client:
            return client.request(method, url, content=content, headers=headers)

    def make_calendar(self, url: str, *, components: Iterable[str] = ("VEVENT",)) -> None:
        """Make a calendar that holds those components."""
        kinds = "".join(f'<C:comp name="{each}"/>' for each in components)
        body = (
            '<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>'
            f"<displayname>Lift 1</displayname><C:supported-calendar-component-set>{kinds}"
            "</C:supported-calendar-component-set></prop></set></C:mkcalendar>"
        )
        assert self.send("MKCALENDAR", url, body).status_code == 201

    def put(self, name: str, *lines: str) -> None:
        """Store an event that has these lines."""
        text = "\r\n".join(
            ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//a person//", "BEGIN:VEVENT", f"UID:{name}",
             "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT", "END:VCALENDAR", ""]
        )  # fmt: skip
        response = self.send("PUT", f"{self.calendar_url}{name}.ics", text, **{"Content-Type": "text/calendar"})
        assert response.status_code == 201, response.text

    def get(self, name: str) -> str:
        """An event as it is stored; empty if there is none."""
        response = self.send("GET", f"{self.calendar_url}{name}.ics")
        return response.text if response.status_code == 200 else ""

    def start(self) -> None:
        self._thread.start()
        self.make_calendar(self.calendar_url)
        self.requests.clear()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@contextlib.contextmanager
def radicale_server(folder: Path) -> Iterator[RadicaleServer]:
    """Started, with one empty calendar."""
    server = RadicaleServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()

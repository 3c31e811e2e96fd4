"""Twilio's REST API for one call, on loopback: it returns the call's status and records lookups and updates."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Rest:
    """`status` of every call; None: the API answers 503."""

    status: str | None = "in-progress"
    ended_at: datetime | None = None
    base_url: str = ""
    updates: list[str] = field(default_factory=list)
    lookups: list[str] = field(default_factory=list)


@contextmanager
def twilio_rest() -> Iterator[Rest]:
    rest = Rest()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            rest.lookups.append(self.path)
            self.answer()

        def do_POST(self) -> None:
            rest.updates.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.answer()

        def answer(self) -> None:
            sid = self.path.rsplit("/", 1)[-1].removesuffix(".json")
            end_time = format_datetime(rest.ended_at) if rest.ended_at else None
            about = {"sid": sid, "status": rest.status, "account_sid": "AC" + "c" * 32, "end_time": end_time}
            body = json.dumps(about).encode()
            self.send_response(200 if rest.status else 503)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    rest.base_url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield rest
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

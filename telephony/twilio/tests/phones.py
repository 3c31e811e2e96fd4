"""Twilio's REST API for calls, on loopback: it records the calls that are placed, and what is changed about others."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from uuid import uuid4


@dataclass
class Phones:
    """`refuse_with` (status, code) is what every request gets; `status` is that of every call that is looked up."""

    base_url: str = ""
    placed: list[dict[str, str]] = field(default_factory=list)
    changed: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    status: str = "in-progress"
    refuse_with: tuple[int, int] | None = None

    @property
    def numbers(self) -> list[str]:
        return [call["To"] for call in self.placed]

    @property
    def hung_up(self) -> list[str]:
        return [sid for sid, change in self.changed if change.get("Status") == "completed"]

    @property
    def sent_on(self) -> list[str]:
        """The calls that continue at another address."""
        return [sid for sid, change in self.changed if change.get("Url")]


@contextmanager
def twilio_phones() -> Iterator[Phones]:
    phones = Phones()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(self.sid, phones.status)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            if self.path.endswith("/Calls.json"):
                sid = "CA" + uuid4().hex
                if phones.refuse_with is None:
                    phones.placed.append(form | {"sid": sid})
                self.answer(sid, "queued")
            else:
                phones.changed.append((self.sid, form))
                self.answer(self.sid, phones.status)

        @property
        def sid(self) -> str:
            return self.path.rsplit("/", 1)[-1].removesuffix(".json")

        def answer(self, sid: str, call_status: str) -> None:
            http_status, code = phones.refuse_with or (200, 0)
            about = {"sid": sid, "status": call_status, "code": code, "message": "refused", "account_sid": "AC"}
            body = json.dumps(about).encode()
            self.send_response(http_status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    phones.base_url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield phones
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

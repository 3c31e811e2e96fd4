"""Who receives orders: knows the id of each post, and may hold its answer back."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Kitchen(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Cook)
        self.arrived: list[str] = []
        self.answers = threading.Event()
        self.answers.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/orders"


class _Cook(BaseHTTPRequestHandler):
    server: Kitchen

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.arrived.append(self.headers["webhook-id"])
        self.server.answers.wait(60)
        with contextlib.suppress(OSError):  # the worker may have been killed by now
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def cooking() -> Iterator[Kitchen]:
    with Kitchen() as kitchen:
        threading.Thread(target=kitchen.serve_forever, args=(0.01,), daemon=True).start()
        yield kitchen
        kitchen.answers.set()
        kitchen.shutdown()

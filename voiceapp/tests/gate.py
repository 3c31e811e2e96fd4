"""A gate on the way to a server: it lets requests through, keeps them, or keeps their answers. And a deaf server."""

from __future__ import annotations

import contextlib
import enum
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

NEVER_S = 60.0


class Mode(enum.Enum):
    OPEN = enum.auto()
    KEEPS_REQUESTS = enum.auto()
    KEEPS_ANSWERS = enum.auto()


class Gate(ThreadingHTTPServer):
    """Stands before `behind`. `arrived` counts requests, `operations` names them; `is_held` is set while one is kept.

    `holds` names the only operation (of AWS) or method (of LiveKit) that is kept; `pauses_s` is waited before each
    request goes on.
    """

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Keeper)
        self.behind = behind
        self.mode = Mode.OPEN
        self.arrived = 0
        self.operations: set[str] = set()
        self.holds = ""
        self.pauses_s = 0.0
        self.is_held = threading.Event()
        self.is_over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def hold(self) -> None:
        self.is_held.set()
        self.is_over.wait(NEVER_S)


class _Keeper(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        gate = self.server
        assert isinstance(gate, Gate)
        content = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2] or self.path.rpartition("/")[2]
        mode = gate.mode if gate.holds in ("", operation) else Mode.OPEN
        gate.arrived += 1
        gate.operations.add(operation)
        gate.is_over.wait(gate.pauses_s)
        if mode is Mode.KEEPS_REQUESTS:
            gate.hold()
            self.close_connection = True
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
        with httpx.Client(trust_env=False, timeout=30, verify=False) as client:
            answer = client.post(gate.behind + self.path, content=content, headers=headers)
        if mode is Mode.KEEPS_ANSWERS:
            gate.hold()
            self.close_connection = True
            return
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def gate_before(behind: str) -> Iterator[Gate]:
    gate = Gate(behind)
    thread = threading.Thread(target=gate.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield gate
    finally:
        gate.is_over.set()
        gate.shutdown()
        gate.server_close()
        thread.join(5)


@contextlib.contextmanager
def deaf_server() -> Iterator[str]:
    """The address of one who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def closed_address() -> str:
    """An address where no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

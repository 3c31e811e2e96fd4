"""A server in OpenAI's place that sends a configured response and records the requests, over http or over TLS."""

from __future__ import annotations

import datetime as dt
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

EXPIRES_AT = 1_795_000_000
MINTED = {
    "value": "ek_of_the_stub",
    "expires_at": EXPIRES_AT,
    "session": {"id": "sess_stub", "model": "gpt-realtime-2.1", "expires_at": 0},
}


@dataclass(slots=True)
class StubResponse:
    """What the stub sends. `drips` sends it a byte at a time, `hangs_s` waits first."""

    status: int = 200
    body: bytes = json.dumps(MINTED).encode()
    headers: dict[str, str] = field(default_factory=dict)
    drips: bool = False
    hangs_s: float = 0


@dataclass(frozen=True, slots=True)
class Sent:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        return self.headers.get("Authorization", "")


class Stub(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.response, self.sent = StubResponse(), list[Sent]()
        super().__init__((address, port), StubHandler)
        self.url = f"http://{address}:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that disconnects is not reported."""


class StubHandler(BaseHTTPRequestHandler):
    server: Stub

    def do_POST(self) -> None:
        response = self.server.response
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.sent.append(Sent(self.path, dict(self.headers), body))
        time.sleep(response.hangs_s)
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        for start in range(0, len(response.body), 1 if response.drips else len(response.body) or 1):
            self.wfile.write(response.body[start : start + 1] if response.drips else response.body)
            if response.drips:
                time.sleep(0.1)

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(stub: Stub) -> Iterator[Stub]:
    thread = threading.Thread(target=stub.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.shutdown()
        stub.server_close()
        thread.join()


def certificate_for(name: str, pem: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for this name, which is kept in the file, and one that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    pem.write_bytes(private + public)
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(pem)
    return own, ssl.create_default_context(cadata=public.decode())


def behind_tls(stub: Stub, name: str, folder: Path) -> ssl.SSLContext:
    """Put the stub behind a certificate for this name; the context that trusts it."""
    own, trusting = certificate_for(name, folder / "stub.pem")
    stub.socket = own.wrap_socket(stub.socket, server_side=True, do_handshake_on_connect=False)
    return trusting

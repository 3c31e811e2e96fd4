"""A Clerk instance for tests: keys that rotate, tokens as Clerk writes them, and its key set over real HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pytest_django import Settings

PAGE = "https://app.example.com"


@cache
def private_key(name: str, bits: int) -> rsa.RSAPrivateKey:
    """The same key for the same name: making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def pem(name: str) -> str:
    return private_key(name, 2048).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def listed_key(name: str, bits: int = 2048) -> dict[str, Any]:
    """The key as a key set lists it."""
    found: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private_key(name, bits).public_key()))
    return {"use": "sig", "kty": "RSA", "alg": "RS256", "kid": name, "n": found["n"], "e": found["e"]}


class ClerkInstance:
    """Its attributes choose the response; `fetches` counts requests."""

    def __init__(self, issuer: str = "https://clerk.example.com") -> None:
        self.issuer = issuer
        self.keys = ["ins_first"]
        self.status = 200
        self.body: bytes | None = None
        self.delay_s = 0.0
        self.drips_for_s = 0.0
        self.location = ""
        self.fetches = 0

    def key_set(self) -> bytes:
        return json.dumps({"keys": [listed_key(name) for name in self.keys]}).encode()

    def claims(self, subject: str = "user_alice", **changes: object) -> dict[str, Any]:
        """Version 2 without an organization; a change to None leaves the claim out."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "v": 2, "iss": self.issuer, "sub": subject, "sid": "sess_1", "azp": PAGE, "sts": "active",
            "iat": now, "nbf": now - 10, "exp": now + 60, "fva": [1, -1], "jti": "a1b2",
        }  # fmt: skip
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, subject: str = "user_alice", *, key: str = "", headers: object = None, **changes: object) -> str:
        name = key or self.keys[-1]
        more = headers if isinstance(headers, dict) else {}
        claims = self.claims(subject, **changes)
        return jwt.encode(claims, private_key(name, 2048), algorithm="RS256", headers={"kid": name} | more)


def trust(instance: ClerkInstance, settings: Settings) -> None:
    """The product takes its tokens, by the key that it is given."""
    settings.CLERK_ISSUER, settings.CLERK_JWT_KEY = instance.issuer, pem("ins_first")
    settings.CLERK_AUTHORIZED_PARTIES = [PAGE]


@contextmanager
def served_clerk() -> Iterator[ClerkInstance]:
    """An instance whose issuer is a URL on this machine that really responds."""
    instance = ClerkInstance()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            instance.fetches += 1
            time.sleep(instance.delay_s)
            known = self.path == "/.well-known/jwks.json"
            body = instance.key_set() if instance.body is None else instance.body
            self.send_response(instance.status if known else 404)
            if instance.location:
                self.send_header("Location", instance.location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.write(body)
            except OSError:
                return  # the client hung up: that is what some tests are about

        def write(self, body: bytes) -> None:
            if instance.drips_for_s:
                for position in range(len(body)):
                    self.wfile.write(body[position : position + 1])
                    time.sleep(instance.drips_for_s / len(body))
            else:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    instance.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield instance
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

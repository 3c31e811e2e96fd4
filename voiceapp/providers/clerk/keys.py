"""Clerk's public keys: cached, kept while Clerk is unavailable; made-up key ids cause no fetch."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Protocol, TypeGuard

import httpx
import jwt
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from voiceapp.providers.errors import ProviderError, retry_after_s, retry_class_of
from voiceapp.providers.rarely_fetched import RarelyFetched

logger = structlog.get_logger("clerk")

FRESH_FOR_S = 300.0
# An unknown key id causes a fetch, but not each of a thousand made-up ones.
COOLDOWN_S = 10.0
COOLDOWN_AFTER_FAILURE_S = 2.0
CONNECT_TIMEOUT_S = 2.0
FETCH_TIMEOUT_S = 4.0
MAX_SET_BYTES = 64 * 1024
MAX_KEYS = 32
MIN_KEY_BITS = 2048
NOT_A_KEY = (jwt.PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, AttributeError)


class UnknownKey(Exception):
    """Clerk has no key with that id."""


class Keys(Protocol):
    """`key` raises UnknownKey, or ProviderError if Clerk cannot be reached."""

    def key(self, key_id: str) -> RSAPublicKey: ...


class GivenKey:
    """The key of CLERK_JWT_KEY, without network. It is used for every key id, as in Clerk's own SDK."""

    def __init__(self, pem: str) -> None:
        try:
            key = load_pem_public_key(pem.strip().encode())
        except NOT_A_KEY as exc:
            raise ProviderError("clerk", "CLERK_JWT_KEY is not a public key in PEM", permanent=True) from exc
        if not is_strong(key):
            raise ProviderError("clerk", "CLERK_JWT_KEY is not an RSA key of 2048 bits or more", permanent=True)
        self._key = key

    def key(self, key_id: str) -> RSAPublicKey:
        return self._key


class FetchedKeys(RarelyFetched):
    """The key set at a URL. Safe to share between threads; blocks for about FETCH_TIMEOUT_S at most."""

    _thread_name = "clerk-keys"

    def __init__(self, url: str, *, cooldown_s: float = COOLDOWN_S) -> None:
        super().__init__()
        self._url = url
        self._cooldown_s = cooldown_s
        self._keys: Mapping[str, RSAPublicKey] = {}
        self._is_unavailable = False

    def key(self, key_id: str) -> RSAPublicKey:
        """A cached key at once, also while Clerk is unavailable; another one after at most one fetch."""
        found = self._keys.get(key_id)
        if found is not None:
            self._refresh_if_old(FRESH_FOR_S)
            return found
        self._fetch_for(key_id)
        found = self._keys.get(key_id)
        if found is not None:
            return found
        if self._is_unavailable:
            raise ProviderError("clerk", "its keys could not be fetched")
        raise UnknownKey

    def _fetch_for(self, key_id: str) -> None:
        """Do not wait while Clerk is unavailable."""
        within_s = 0 if self._is_unavailable else CONNECT_TIMEOUT_S + FETCH_TIMEOUT_S
        if not self._fetch_once(is_wanted=lambda: key_id not in self._keys, within_s=within_s):
            raise ProviderError("clerk", "fetching its keys takes too long")

    def _fetch(self) -> None:
        """Replace the keys by Clerk's current ones; keep them if the fetch fails."""
        try:
            keys = read_key_set(download(self._url))
        except ProviderError as exc:
            logger.warning("keys not fetched", error=str(exc), kept=len(self._keys))
            self._is_unavailable = True
            self._postpone(exc, min(COOLDOWN_AFTER_FAILURE_S, self._cooldown_s))
            return
        self._keys, self._is_unavailable = keys, False
        self._fetched_at = time.monotonic()
        self._next_fetch_at = self._fetched_at + self._cooldown_s


def download(url: str) -> bytes:
    """The body, limited in size and in total time; no redirects, no proxy from the environment."""
    deadline = time.monotonic() + FETCH_TIMEOUT_S
    timeout = httpx.Timeout(CONNECT_TIMEOUT_S)
    body = b""
    try:
        with (
            httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False) as client,
            client.stream("GET", url, headers={"Accept": "application/json"}) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise _error_of(response)
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MAX_SET_BYTES:
                    raise ProviderError("clerk", "its key set is too large")
                if time.monotonic() > deadline:
                    raise ProviderError("clerk", "its key set arrives too slowly")
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise ProviderError("clerk", f"no response ({type(exc).__name__})") from exc
    return body


def _error_of(response: httpx.Response) -> ProviderError:
    wait_s = retry_after_s(response.headers.get("Retry-After"))
    retry_class = retry_class_of(response.status_code, retry_after_s=wait_s)
    message = f"the URL of its keys returned {response.status_code}"
    return ProviderError("clerk", message, retry_class=retry_class, retry_after_s=wait_s)


def read_key_set(body: bytes) -> dict[str, RSAPublicKey]:
    """The usable RSA signing keys by id. Raises ProviderError if there is none."""
    try:
        listed = json.loads(body)["keys"]
        found = {each["kid"]: read_key(each) for each in listed[:MAX_KEYS] if is_for_us(each)}
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise ProviderError("clerk", "its key set is malformed") from exc
    keys = {key_id: key for key_id, key in found.items() if key is not None}
    if not keys:
        raise ProviderError("clerk", "its key set has no key for RS256")
    return keys


def is_for_us(listed: object) -> bool:
    """Whether it is an RSA key for signatures; sets may have others."""
    return (
        isinstance(listed, Mapping)
        and listed.get("kty") == "RSA"
        and listed.get("use", "sig") == "sig"
        and listed.get("alg", "RS256") == "RS256"
        and isinstance(listed.get("kid"), str)
    )


def read_key(listed: Mapping[str, Any]) -> RSAPublicKey | None:
    """The key, or None if it is invalid or weak: the other keys stay usable."""
    try:
        key = jwt.PyJWK.from_dict(dict(listed), algorithm="RS256").key
    except NOT_A_KEY:
        return None
    return key if is_strong(key) else None


def is_strong(key: object) -> TypeGuard[RSAPublicKey]:
    return isinstance(key, RSAPublicKey) and key.key_size >= MIN_KEY_BITS

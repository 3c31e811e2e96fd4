"""Clerk's key set over real HTTP: rotation, Clerk away or hostile, and strangers who make up key ids."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from voiceapp.providers.clerk import keys as clerk_keys
from voiceapp.providers.clerk.keys import FetchedKeys, UnknownKey
from voiceapp.providers.clerk.tokens import ClerkVerifier, TokenRefused
from voiceapp.providers.errors import ProviderError
from voiceapp.tests.waiting import soon

from .clerk_instance import PAGE, ClerkInstance, listed_key, private_key, served_clerk


@pytest.fixture
def clerk() -> Iterator[ClerkInstance]:
    with served_clerk() as instance:
        yield instance


def keys_of(clerk: ClerkInstance, cooldown_s: float = 0.0) -> FetchedKeys:
    return FetchedKeys(f"{clerk.issuer}/.well-known/jwks.json", cooldown_s=cooldown_s)


def verifier_of(clerk: ClerkInstance, keys: FetchedKeys) -> ClerkVerifier:
    return ClerkVerifier(issuer=clerk.issuer, keys=keys, authorized_parties=[PAGE])


def test_a_thousand_tokens_cost_one_fetch(clerk: ClerkInstance) -> None:
    verifier = verifier_of(clerk, keys_of(clerk))
    token = clerk.token()
    for _ in range(1000):
        verifier.verify(token)
    assert clerk.fetches == 1


def test_a_rotated_key_is_taken_at_its_first_token(clerk: ClerkInstance) -> None:
    verifier = verifier_of(clerk, keys_of(clerk))
    old = clerk.token()
    verifier.verify(old)
    clerk.keys = ["ins_first", "ins_second"]
    assert verifier.verify(clerk.token()).subject == "user_alice"
    assert verifier.verify(old).subject == "user_alice"
    assert clerk.fetches == 2


def test_a_key_that_clerk_withdrew_is_refused_once_the_set_was_fetched_again(
    clerk: ClerkInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = verifier_of(clerk, keys_of(clerk))
    old = clerk.token()
    verifier.verify(old)
    clerk.keys = ["ins_second"]
    monkeypatch.setattr(clerk_keys, "FRESH_FOR_S", 0.0)
    verifier.verify(old)  # known, so nobody waits; but the set is old, and is fetched meanwhile
    soon(lambda: clerk.fetches == 2)

    def is_refused() -> bool:
        try:
            verifier.verify(old)
        except TokenRefused:
            return True
        return False

    soon(is_refused)
    assert is_refused()


def test_made_up_key_ids_fetch_nothing_within_the_cooldown(clerk: ClerkInstance) -> None:
    verifier = verifier_of(clerk, keys_of(clerk, cooldown_s=60))
    verifier.verify(clerk.token())
    for number in range(200):
        with pytest.raises(TokenRefused):
            verifier.verify(clerk.token(key="ins_stranger", headers={"kid": f"ins_{number}"}))
    assert clerk.fetches == 1


def test_tokens_that_no_key_can_save_fetch_nothing(clerk: ClerkInstance) -> None:
    verifier = verifier_of(clerk, keys_of(clerk))
    other_algorithm = jwt.encode(clerk.claims(), private_key("ins_first", 2048), algorithm="RS512")
    for token in ("", "a.b.c", other_algorithm):
        with pytest.raises(TokenRefused):
            verifier.verify(token)
    assert clerk.fetches == 0


def test_many_at_once_share_one_fetch(clerk: ClerkInstance) -> None:
    verifier = verifier_of(clerk, keys_of(clerk))
    clerk.delay_s = 0.2
    token = clerk.token()
    with ThreadPoolExecutor(32) as pool:
        assert {claims.subject for claims in pool.map(verifier.verify, [token] * 64)} == {"user_alice"}
    assert clerk.fetches == 1


def test_known_keys_hold_while_clerk_is_away(clerk: ClerkInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = verifier_of(clerk, keys_of(clerk))
    token = clerk.token()
    verifier.verify(token)
    clerk.status = 500
    monkeypatch.setattr(clerk_keys, "FRESH_FOR_S", 0.0)
    verifier.verify(token)
    soon(lambda: clerk.fetches == 2)
    assert verifier.verify(token).subject == "user_alice"


FAULTS: dict[str, dict[str, object]] = {
    "500": {"status": 500},
    "404": {"status": 404},
    "redirect": {"status": 302, "location": "http://169.254.169.254/"},
    "no JSON": {"body": b"<html>"},
    "no keys": {"body": b"{}"},
    "empty": {"body": b'{"keys": []}'},
    "a list": {"body": b"[]"},
    "keys of the wrong type": {"body": b'{"keys": [1, null]}'},
    "deep": {"body": b"[" * 50_000},
    "huge": {"body": b'{"keys": [], "x": "' + b"a" * 500_000 + b'"}'},
    "a weak key": {"body": json.dumps({"keys": [listed_key("ins_first", 1024)]}).encode()},
    "a key for encryption": {"body": json.dumps({"keys": [listed_key("ins_first") | {"use": "enc"}]}).encode()},
    "a broken key": {"body": json.dumps({"keys": [listed_key("ins_first") | {"n": "!"}]}).encode()},
}


@pytest.mark.parametrize("name", FAULTS)
def test_who_cannot_be_checked_is_not_refused(clerk: ClerkInstance, name: str) -> None:
    for attribute, value in FAULTS[name].items():
        setattr(clerk, attribute, value)
    verifier = verifier_of(clerk, keys_of(clerk))
    with pytest.raises(ProviderError) as caught:
        verifier.verify(clerk.token())
    assert not caught.value.permanent


def test_a_clerk_that_cannot_be_reached_is_unavailable(clerk: ClerkInstance) -> None:
    keys = FetchedKeys("http://127.0.0.1:1/.well-known/jwks.json", cooldown_s=0)
    with pytest.raises(ProviderError):
        verifier_of(clerk, keys).verify(clerk.token())


@pytest.mark.parametrize("fault", ["delay_s", "drips_for_s"])
def test_a_slow_clerk_costs_a_bounded_time_and_no_request_queues_for_it(
    clerk: ClerkInstance, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clerk_keys, "CONNECT_TIMEOUT_S", 0.3)
    monkeypatch.setattr(clerk_keys, "FETCH_TIMEOUT_S", 0.6)
    setattr(clerk, fault, 30.0 if fault == "drips_for_s" else 2.0)
    verifier = verifier_of(clerk, keys_of(clerk, cooldown_s=60))
    token = clerk.token()

    def is_away(_: int) -> bool:
        with pytest.raises(ProviderError):
            verifier.verify(token)
        return True

    began = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(is_away, range(64)))
    assert time.monotonic() - began < 15
    assert clerk.fetches <= 3


def test_while_one_thread_fetches_from_an_unavailable_clerk_others_fail_at_once(
    clerk: ClerkInstance,
) -> None:
    keys = keys_of(clerk)
    clerk.status = 500
    with pytest.raises(ProviderError):
        keys.key("ins_first")
    clerk.delay_s = 2.0
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(keys.key, "ins_first")
        soon(lambda: clerk.fetches == 2)
        with pytest.raises(ProviderError):
            keys.key("ins_first")
        assert not asking.done()
        assert isinstance(asking.exception(), ProviderError)


def test_keys_are_fetched_again_soon_after_clerk_was_unavailable(clerk: ClerkInstance) -> None:
    keys = keys_of(clerk)
    clerk.status = 503
    with pytest.raises(ProviderError):
        keys.key("ins_first")
    clerk.status = 200
    assert keys.key("ins_first").key_size == 2048


def test_one_bad_key_does_not_spoil_the_others(clerk: ClerkInstance) -> None:
    listed = [listed_key("ins_first"), listed_key("ins_broken") | {"n": "!"}, {"kty": "EC", "kid": "ins_elliptic"}]
    clerk.body = json.dumps({"keys": listed}).encode()
    keys = keys_of(clerk)
    assert keys.key("ins_first").key_size == 2048
    with pytest.raises(UnknownKey):
        keys.key("ins_broken")


def test_a_proxy_of_the_environment_is_not_used(clerk: ClerkInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert keys_of(clerk).key("ins_first").key_size == 2048

"""A table of tokens: which are taken, and that no other is, whatever it looks like."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from voiceapp.providers.clerk.keys import GivenKey
from voiceapp.providers.clerk.tokens import ClerkVerifier, TokenRefused
from voiceapp.providers.errors import ProviderError

from .clerk_instance import PAGE, ClerkInstance, pem, private_key

CLERK = ClerkInstance()
NOW = int(time.time())
DAY = 86_400


@pytest.fixture(scope="module", autouse=True)
def clock_at_rest() -> Iterator[None]:
    """The tokens below were made at NOW, and are still of that instant when their turn comes."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def verifier() -> ClerkVerifier:
    return ClerkVerifier(issuer=CLERK.issuer, keys=GivenKey(pem("ins_first")), authorized_parties=[PAGE])


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def handmade(header: object, signature: str = "AAAA", **changes: object) -> str:
    return f"{part(header)}.{part(CLERK.claims(**changes))}.{signature}"  # type: ignore[arg-type]


def signed_with_public_key() -> str:
    """The classic confusion: the public key taken for the secret of HS256."""
    import hashlib
    import hmac

    start = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'ins_first'})}.{part(CLERK.claims())}"
    mac = hmac.new(pem("ins_first").encode(), start.encode(), hashlib.sha256).digest()
    return f"{start}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def other_payload() -> str:
    """Another person's claims under Alice's signature."""
    head, _, signature = CLERK.token().split(".")
    return f"{head}.{part(CLERK.claims('user_charlie'))}.{signature}"


def elliptic() -> str:
    return jwt.encode(CLERK.claims(), ec.generate_private_key(ec.SECP256R1()), algorithm="ES256")


TAKEN = {
    "version 2": CLERK.token(),
    "version 2 with an organization": CLERK.token(o={"id": "org_1", "rol": "admin", "slg": "harbour"}),
    "version 1 with an organization": CLERK.token(v=None, org_id="org_1", org_role="org:admin", org_slug="harbour"),
    "expired within the leeway": CLERK.token(exp=NOW - 4),
    "not before, within the leeway": CLERK.token(nbf=NOW + 5, iat=NOW + 5),
    "no azp": CLERK.token(azp=None),
    "no sts": CLERK.token(sts=None),
    "an audience": CLERK.token(aud="somebody"),
    "unknown claims": CLERK.token(fea="o:dashboard", pla="u:pro"),
}

REFUSED = {
    "empty": "",
    "no dots": "token",
    "two dots": "..",
    "not base64": "a!b.c!d.e!f",
    "no JSON": f"{base64.urlsafe_b64encode(b'nope').decode()}.x.y",
    "not ASCII": CLERK.token() + "é",
    "too long": CLERK.token(pad="x" * 9000),
    "alg none": handmade({"alg": "none", "typ": "JWT"}, ""),
    "alg None in capitals": handmade({"alg": "NONE"}, ""),
    "no alg": handmade({"typ": "JWT"}),
    "alg a list": handmade({"alg": ["RS256"]}),
    "header a list": handmade(["RS256"]),
    "header nested deeply": f"{base64.urlsafe_b64encode(b'[' * 3000).decode()}.x.y",
    "kid a number": handmade({"alg": "RS256", "kid": 7}),
    "HS256 with the public key": signed_with_public_key(),
    "RS512": jwt.encode(
        CLERK.claims(), private_key("ins_first", 2048), algorithm="RS512", headers={"kid": "ins_first"}
    ),
    "PS256": jwt.encode(
        CLERK.claims(), private_key("ins_first", 2048), algorithm="PS256", headers={"kid": "ins_first"}
    ),
    "ES256": elliptic(),
    "another key": CLERK.token(key="ins_stranger"),
    "another key under our id": CLERK.token(key="ins_stranger", headers={"kid": "ins_first"}),
    "another payload": other_payload(),
    "signature cut": CLERK.token()[:-8],
    "signature gone": CLERK.token().rpartition(".")[0] + ".",
    "jku of a stranger": CLERK.token(key="ins_stranger", headers={"jku": "https://evil.example/jwks.json"}),
    "critical extension": CLERK.token(headers={"crit": ["b64"], "b64": False}),
    "expired by the leeway": CLERK.token(exp=NOW - 5),
    "not yet by more than the leeway": CLERK.token(nbf=NOW + 6),
    "expired": CLERK.token(exp=NOW - DAY),
    "no exp": CLERK.token(exp=None),
    "exp a word": CLERK.token(exp="tomorrow"),
    "exp a list": CLERK.token(exp=[NOW + DAY]),
    "exp without end": CLERK.token(exp=float("inf")),
    "not yet": CLERK.token(nbf=NOW + DAY),
    "no nbf": CLERK.token(nbf=None),
    "issued in the future": CLERK.token(iat=NOW + DAY),
    "no iat": CLERK.token(iat=None),
    "another issuer": CLERK.token(iss="https://clerk.evil.example"),
    "our issuer with a slash": CLERK.token(iss=CLERK.issuer + "/"),
    "no issuer": CLERK.token(iss=None),
    "no sub": jwt.encode(
        {name: value for name, value in CLERK.claims().items() if name != "sub"},
        private_key("ins_first", 2048),
        algorithm="RS256",
    ),
    "sub empty": CLERK.token(""),
    "sub a Django user's id": CLERK.token("1"),
    "sub with a NUL": CLERK.token("user_\0"),
    "sub very long": CLERK.token("user_" + "a" * 200),
    "foreign azp": CLERK.token(azp="https://evil.example"),
    "azp with our page at the start": CLERK.token(azp=PAGE + ".evil.example"),
    "azp a list": CLERK.token(azp=[PAGE]),
    "pending": CLERK.token(sts="pending"),
    "an unknown state": CLERK.token(sts="revoked"),
    "o a text": CLERK.token(o="org_1"),
    "o without id": CLERK.token(o={"rol": "admin"}),
    "o with a NUL": CLERK.token(o={"id": "org_\0"}),
    "role a list": CLERK.token(o={"id": "org_1", "rol": ["admin"]}),
}


@pytest.mark.parametrize("name", TAKEN)
def test_tokens_that_are_taken(verifier: ClerkVerifier, name: str) -> None:
    assert verifier.verify(TAKEN[name]).subject == "user_alice"


@pytest.mark.parametrize("name", REFUSED)
def test_tokens_that_are_refused(verifier: ClerkVerifier, name: str) -> None:
    with pytest.raises(TokenRefused):
        verifier.verify(REFUSED[name])


def test_both_versions_say_the_same_of_an_organization(verifier: ClerkVerifier) -> None:
    for name in ("version 1 with an organization", "version 2 with an organization"):
        claims = verifier.verify(TAKEN[name])
        found = (claims.organization_id, claims.organization_role, claims.organization_slug)
        assert found == ("org_1", "admin", "harbour")


def test_without_an_organization_there_is_none(verifier: ClerkVerifier) -> None:
    claims = verifier.verify(TAKEN["version 2"])
    assert (claims.organization_id, claims.organization_role, claims.session_id) == ("", "", "sess_1")


def test_a_cookies_token_must_name_its_page(verifier: ClerkVerifier) -> None:
    assert verifier.verify(TAKEN["version 2"], needs_party=True).authorized_party == PAGE
    with pytest.raises(TokenRefused):
        verifier.verify(TAKEN["no azp"], needs_party=True)


@given(st.text(max_size=300) | st.tuples(st.binary(max_size=200), st.binary(max_size=200)).map(
    lambda parts: ".".join([*(base64.urlsafe_b64encode(each).decode() for each in parts), "AAAA"])
))  # fmt: skip
def test_no_text_makes_the_reader_break(text: str) -> None:
    verifier = ClerkVerifier(issuer=CLERK.issuer, keys=GivenKey(pem("ins_first")), authorized_parties=[PAGE])
    with pytest.raises(TokenRefused):
        verifier.verify(text)


@pytest.mark.parametrize("text", ["", "key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"])
def test_a_key_that_is_none_is_a_permanent_fault(text: str) -> None:
    with pytest.raises(ProviderError) as caught:
        GivenKey(text)
    assert caught.value.permanent

"""Where a client is: for sockets and requests alike, and what counts as one client."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from voiceapp.core.http.client_address import address_in_scope, address_of, network_of


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (0, "1.1.1.1", "9.9.9.9"),
        (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "1.1.1.1", "9.9.9.9"),
        (1, "", "9.9.9.9"),
        (1, "6.6.6.6, ", "9.9.9.9"),
    ],
)
def test_behind_proxies_the_address_is_what_our_outermost_proxy_saw(
    settings: Settings, hops: int, forwarded: str, expected: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = hops
    scope = {"client": ("9.9.9.9", 1234), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    request = RequestFactory().get("/", REMOTE_ADDR="9.9.9.9", HTTP_X_FORWARDED_FOR=forwarded)
    assert address_in_scope(scope) == address_of(request) == expected


def test_proxies_that_each_add_a_line_are_read_in_their_order(settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 2
    lines = [(b"x-forwarded-for", b"6.6.6.6, 1.1.1.1"), (b"host", b"x"), (b"x-forwarded-for", b"2.2.2.2")]
    assert address_in_scope({"client": ("9.9.9.9", 1234), "headers": lines}) == "1.1.1.1"


def test_a_socket_of_this_machine_has_no_address() -> None:
    assert address_in_scope({"client": None, "headers": []}) == ""
    assert address_of(RequestFactory().get("/", REMOTE_ADDR="")) == ""


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:49152", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", "unknown"),
        ("unknown", "unknown"),
        ("1.2.3", "unknown"),
        ("é", "unknown"),
    ],
)
def test_one_client_is_one_address_or_a_whole_ipv6_network(address: str, network: str) -> None:
    assert network_of(address) == network

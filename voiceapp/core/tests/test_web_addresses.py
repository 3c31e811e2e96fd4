"""Origins are read strictly: what one reader could take for another host is no address at all."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voiceapp.core.web_addresses import Origin, read_origin

PIECES = [*"abz019.:/@\\#?%[]- \t\n~é。①", "https://", "http://", "api.openai.com", "127.0.0.1", "[::1]"]


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://api.openai.com", "https://api.openai.com"),
        ("HTTPS://API.OpenAI.com:443/v1?x=1", "https://api.openai.com"),
        ("http://127.0.0.1:9000/v1", "http://127.0.0.1:9000"),
        ("http://localhost", "http://localhost"),
        ("http://[0:0::1]:80/", "http://[::1]"),
        ("https://a.example:8443", "https://a.example:8443"),
    ],
)
def test_an_origin_is_scheme_host_and_port(address: str, origin: str) -> None:
    assert str(read_origin(address)) == origin
    assert read_origin(origin) == read_origin(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_this_machine_is_known_by_name_and_number(host: str) -> None:
    assert read_origin(f"http://{host}:1/").is_this_machine


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0.0.0.0", "10.0.0.1", "localhost.example.com", "[::]"])
def test_other_hosts_are_not_this_machine(host: str) -> None:
    assert not read_origin(f"http://{host}/").is_this_machine


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "1.2.3.4", "localhost", "[2606::1]", "example.0x1"])
def test_numbers_and_bare_names_are_no_named_https(host: str) -> None:
    assert not read_origin(f"https://{host}").is_named_https


def test_only_https_on_its_port_is_named_https() -> None:
    assert Origin("https", "voice.example.com", 443).is_named_https
    assert not Origin("https", "voice.example.com", 8443).is_named_https
    assert not Origin("http", "voice.example.com", 443).is_named_https


def plain(host: str | None) -> str:
    """IPv6 is written in many ways."""
    return str(ipaddress.IPv6Address(host)) if host and ":" in host else str(host)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example("https://a@b.example")
@example("http://[0:0::1]:80/")
def test_what_is_read_is_read_alike_by_everybody(address: str) -> None:
    try:
        origin = read_origin(address)
    except ValueError:
        return
    split, url = urlsplit(address), httpx.URL(address)
    assert (split.scheme, plain(split.hostname)) == (origin.scheme, origin.host)
    assert (url.scheme, plain(url.host)) == (origin.scheme, origin.host)
    assert read_origin(str(origin)) == origin

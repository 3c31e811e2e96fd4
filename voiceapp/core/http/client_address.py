"""The client's IP address, for sockets and requests."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"
WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([\d.]+):\d+")


def address_in_scope(scope: Mapping[str, Any]) -> str:
    """The client's address in an ASGI scope."""
    client = scope.get("client")
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return _behind_our_proxies(str(client[0]) if client else "", lines)


def address_of(request: HttpRequest) -> str:
    """The client's address behind a request."""
    return _behind_our_proxies(request.META.get("REMOTE_ADDR") or "", [request.META.get("HTTP_X_FORWARDED_FOR", "")])


def network_of(address: str) -> str:
    """The range from which one client can choose addresses: an IPv4 address itself, the /64 of an IPv6 address."""
    bracketed = WITH_PORT.fullmatch(address)
    bare = (bracketed[1] or bracketed[2]) if bracketed else address
    try:
        ip = ipaddress.ip_address(bare.split("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def _behind_our_proxies(peer: str, forwarded: Iterable[str]) -> str:
    """The address that connected to us or to the outermost of our proxies; entries left of it can be forged."""
    hops = settings.TRUSTED_PROXY_COUNT
    seen = [part.strip() for line in forwarded for part in line.split(",")]
    return seen[-hops] if 0 < hops <= len(seen) and seen[-hops] else peer

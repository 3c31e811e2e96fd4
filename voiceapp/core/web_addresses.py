"""Origins of URLs, parsed so strictly that all parsers agree on the host; public and loopback IP addresses."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

MAX_URL_LENGTH = 500
MAX_HOST_LENGTH = 253
DEFAULT_PORTS = {"http": 80, "https": 443}
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# No user, no fragment, no backslash, only printable ASCII. re.ASCII also prevents `ſ` from matching `s`.
ADDRESS = re.compile(
    rf"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]{{2,45}}\]|{LABEL}(?:\.{LABEL})*)"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?:[/?][!\"$-\[\]-~]*)?",
    re.ASCII | re.IGNORECASE,
)
# The last label begins with a letter: resolvers read 0x7f.1 as 127.0.0.1.
NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*\.[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")

# Global for Python, but they lead to internal addresses (NAT64, 6to4, Teredo, site-local).
TUNNELS = tuple(
    ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10")
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port, in lower case; equal origins are the same place. The host of IPv6 has no brackets."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port != DEFAULT_PORTS[self.scheme] else "")

    @property
    def is_named_https(self) -> bool:
        """https on port 443, with a host name that has a dot: no IP address, no name of the local network."""
        return (self.scheme, self.port) == ("https", 443) and NAME.fullmatch(self.host) is not None

    @property
    def is_this_machine(self) -> bool:
        """By name or IP address, without resolving it."""
        try:
            return is_loopback(self.host)
        except ValueError:
            return self.host == "localhost"


def read_origin(address: str) -> Origin:
    """The origin of an http or https URL, whatever its path. Raises ValueError for any other or ambiguous text."""
    read = ADDRESS.fullmatch(address) if len(address) <= MAX_URL_LENGTH else None
    if read is None:
        raise ValueError("not a plain web address")
    scheme, host = read["scheme"].lower(), read["host"].lower()
    if host.startswith("["):
        host = str(ipaddress.IPv6Address(host[1:-1]))
    port = int(read["port"] or DEFAULT_PORTS[scheme])
    if len(host) > MAX_HOST_LENGTH or port > 65_535:
        raise ValueError("not a plain web address")
    return Origin(scheme, host, port)


def is_public(address: str) -> bool:
    """Whether this IP address is public, and so in no internal network."""
    ip = _unmapped(address)
    is_special = ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_reserved
    return ip.is_global and not is_special and not any(ip.version == net.version and ip in net for net in TUNNELS)


def is_loopback(address: str) -> bool:
    """Whether this IP address is a loopback address."""
    return _unmapped(address).is_loopback


def _unmapped(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    ip = ipaddress.ip_address(address.split("%")[0])
    return (isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped) or ip

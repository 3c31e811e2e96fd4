"""Origins of web addresses, read so strictly that no two readers of an address could disagree about its host."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

LONGEST_ADDRESS = 500
LONGEST_HOST = 253
DEFAULT_PORTS = {"http": 80, "https": 443}
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# No user, no fragment, no backslash, no sign that is not printable ASCII. ASCII also keeps `ſ` from passing for `s`.
ADDRESS = re.compile(
    rf"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]{{2,45}}\]|{LABEL}(?:\.{LABEL})*)"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?:[/?][!\"$-\[\]-~]*)?",
    re.ASCII | re.IGNORECASE,
)
# What begins with a digit is read as a number by some: 0x7f.1 is 127.0.0.1 to a resolver.
NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*\.[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")

# Python calls these global, yet they lead to addresses inside (NAT64, 6to4, Teredo, old site-local).
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
        """https on its usual port, at a name with a dot: no number, nothing of the local network's own."""
        return (self.scheme, self.port) == ("https", 443) and NAME.fullmatch(self.host) is not None

    @property
    def is_this_machine(self) -> bool:
        """By its name or number, before anything is looked up."""
        try:
            return is_loopback(self.host)
        except ValueError:
            return self.host == "localhost"


def read_origin(address: str) -> Origin:
    """The origin of an http or https address, whatever its path. Raises ValueError for what is none beyond doubt."""
    read = ADDRESS.fullmatch(address) if len(address) <= LONGEST_ADDRESS else None
    if read is None:
        raise ValueError("no plain web address")
    scheme, host = read["scheme"].lower(), read["host"].lower()
    if host.startswith("["):
        host = str(ipaddress.IPv6Address(host[1:-1]))
    port = int(read["port"] or DEFAULT_PORTS[scheme])
    if len(host) > LONGEST_HOST or port > 65_535:
        raise ValueError("no plain web address")
    return Origin(scheme, host, port)


def is_public(address: str) -> bool:
    """Whether this IP address is reachable from anywhere and so no part of somebody's inside."""
    ip = _unmapped(address)
    is_special = ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_reserved
    return ip.is_global and not is_special and not any(ip.version == net.version and ip in net for net in TUNNELS)


def is_loopback(address: str) -> bool:
    """Whether this IP address is this machine's own."""
    return _unmapped(address).is_loopback


def _unmapped(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    ip = ipaddress.ip_address(address.split("%")[0])
    return (isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped) or ip

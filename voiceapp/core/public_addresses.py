"""Which network addresses may be dialed for somebody else: public ones. Checked after resolving, on every address."""

from __future__ import annotations

import ipaddress

# Python calls these global, yet they lead to addresses inside (NAT64, 6to4, Teredo, old site-local).
TUNNELS = tuple(
    ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10")
)


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

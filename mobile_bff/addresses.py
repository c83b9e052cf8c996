"""The one address by which a caller is counted, wherever callers are counted.

A proxy appends the address of its own caller to ``X-Forwarded-For``, so the header is read from its
right end and only as far as trusted proxies wrote it: the right-most address that is no proxy's is the
caller's. Whatever stands left of that was sent by the caller and says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PROXIES_MAX = 10
"""Hops that are read; no installation has more proxies in a row."""
_HOP_LENGTH_MAX = 60
_SUBSCRIBER_BITS = 64
"""An IPv6 subscriber holds a whole network of this prefix and can send from any of its addresses."""


def caller_address(peer: str, forwarded_for: Iterable[bytes], trusted: Iterable[Network]) -> str:
    """Return the address by which a caller is counted; empty where it is unknown.

    An IPv4 address stands for itself, an IPv6 address for its /64 network. ``peer`` opened the
    connection; ``forwarded_for`` are the values of all ``X-Forwarded-For`` headers in their order.
    What is no address ends the reading: the caller is then counted as the proxy that passed it on.
    """
    address, networks = _parsed(peer), tuple(trusted)
    if address is None:
        return ""
    hops = b",".join(forwarded_for).decode("latin-1").rsplit(",", PROXIES_MAX)[-PROXIES_MAX:]
    while hops and any(address in network for network in networks):
        before = _parsed(_without_port(hops.pop().strip()))
        if before is None:
            break
        address = before
    return _counted(address)


def is_trusted(peer: str, trusted: Iterable[Network]) -> bool:
    """Tell whether a connection comes from a trusted proxy."""
    address = _parsed(peer)
    return address is not None and any(address in network for network in trusted)


def _parsed(text: str) -> Address | None:
    if len(text) > _HOP_LENGTH_MAX:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or IPv6Address(int(address))  # without the name of an interface
    return address


def _without_port(hop: str) -> str:
    """Return a hop without the port that some proxies add."""
    if hop.startswith("["):
        host, bracket, _ = hop[1:].partition("]")
        return host if bracket else hop
    host, _, port = hop.partition(":")
    return host if port.isdigit() else hop


def _counted(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, _SUBSCRIBER_BITS), strict=False))

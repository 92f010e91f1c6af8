"""Addresses of clients, as they are compared with networks and counted."""

import re
from ipaddress import IPv6Address, IPv6Network, ip_address

OF_ONE_CLIENT = 64  # bits: what providers give a single customer (RFC 6177), who picks any address of it

# Of IPv6 in brackets alone: without them the port would be a part of the address.
_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]*)?|([0-9.]+):[0-9]*")


def plain_address(peer: object) -> str:
    """Return the address of a socket's other end, empty if it has none.

    A socket of both families tells one of IPv4 as `::ffff:10.0.0.1`, which no network of IPv4 holds.
    """
    return _of_its_family(str(peer[0])) if isinstance(peer, tuple) else ""


def forwarded_address(hop: str) -> str:
    """Return the address of a hop of X-Forwarded-For, to which some balancers add the port that they were called from."""
    found = _WITH_PORT.fullmatch(hop)
    return _of_its_family(found[1] or found[2] if found else hop)


def counted_as(address: str) -> str:
    """Return what limits count an address as: itself, or the network of a client that has IPv6."""
    address = forwarded_address(address)
    found = _read(address)
    if not isinstance(found, IPv6Address):
        return address
    return str(IPv6Network((found, OF_ONE_CLIENT), strict=False))


def _of_its_family(address: str) -> str:
    found = _read(address)
    return str(found.ipv4_mapped or found) if isinstance(found, IPv6Address) else address


def _read(text: str) -> object:
    try:
        return ip_address(text)
    except ValueError:
        return None

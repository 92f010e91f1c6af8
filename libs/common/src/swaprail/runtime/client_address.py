"""Addresses of clients, as they are compared with networks and counted."""

from ipaddress import IPv6Address, IPv6Network, ip_address

OF_ONE_CLIENT = 64  # bits: what providers give a single customer (RFC 6177), who picks any address of it


def plain_address(peer: object) -> str:
    """Return the address of a socket's other end, empty if it has none.

    A socket of both families tells one of IPv4 as `::ffff:10.0.0.1`, which no network of IPv4 holds.
    """
    if not isinstance(peer, tuple):
        return ""
    found = _read(str(peer[0]))
    return str(found.ipv4_mapped or found) if isinstance(found, IPv6Address) else str(peer[0])


def counted_as(address: str) -> str:
    """Return what limits count an address as: itself, or the network of a client that has IPv6."""
    found = _read(address)
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or IPv6Network((found, OF_ONE_CLIENT), strict=False))


def _read(text: str) -> object:
    try:
        return ip_address(text)
    except ValueError:
        return None

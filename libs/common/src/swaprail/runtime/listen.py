"""Listen where HOST says: a name, an address of IPv4 or of IPv6; :: is both."""

import socket

BACKLOG = 2048


class ListenError(SystemExit):
    """Nobody can listen there; the message says why, in one line."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; a port of 0 picks a free one."""
    try:
        family, *_ = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        both = family is socket.AF_INET6 and host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ListenError(f"HOST={host}: cannot listen on port {port}: {why}") from None

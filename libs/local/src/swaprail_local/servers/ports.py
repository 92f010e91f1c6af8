"""Ports of the loopback address."""

import errno
import random
import socket

LOOPBACK = "127.0.0.1"
# Below those that the system gives to outgoing connections: one of these may take a port between its choice and its use.
_PORTS = range(12_000, 32_000)
_TRIES = 100


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody listens on now."""
    for port in random.SystemRandom().sample(_PORTS, _TRIES):
        if port_is_free(port):
            return port
    raise OSError(f"none of {_TRIES} ports is free")


def port_is_free(port: int, host: str = LOOPBACK) -> bool:
    """Tell whether a server could listen on the port, as far as others are concerned; OSError when it is not for them."""
    family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True

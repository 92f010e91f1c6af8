"""Asking a process over HTTP whether it is ready."""

import asyncio

TIMEOUT_S = 3.0


async def answers(host: str, port: int, path: str = "/health/ready") -> bool:
    """Tell whether a GET is answered with 200."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await _status(host, port, path) == 200
    except (OSError, TimeoutError, ValueError):
        return False


async def _status(host: str, port: int, path: str) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        first = await reader.readline()
        return int(first.split()[1]) if first.startswith(b"HTTP/") else 0
    finally:
        writer.close()

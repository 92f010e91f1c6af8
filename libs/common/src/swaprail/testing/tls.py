"""TLS before servers that have none: ends it as a proxy does, with a certificate made for the test."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

LOOPBACK = "127.0.0.1"
SSL_REQUEST = (8).to_bytes(4) + (80877103).to_bytes(4)  # PostgreSQL: may we speak TLS?

type Reader = asyncio.StreamReader
type Writer = asyncio.StreamWriter
type Greet = Callable[[Reader, Writer], Awaitable[None]]


class Certificate(NamedTuple):
    """A self-signed certificate for one address, and its key."""

    file: Path
    key: Path

    @property
    def context(self) -> ssl.SSLContext:
        """The server's side of it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context


def make_certificate(home: Path, address: str = LOOPBACK) -> Certificate:
    """Return a certificate for the address, valid for a day."""
    home.mkdir(parents=True, exist_ok=True)
    made = Certificate(home / "certificate.pem", home / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-days", "1", "-subj", "/CN=test", "-addext", f"subjectAltName=IP:{address}"]
    subprocess.run([*command, *names, "-keyout", made.key, "-out", made.file], check=True, capture_output=True)  # noqa: S603
    return made


@asynccontextmanager
async def tls_before_redis(port: int, certificate: Certificate) -> AsyncIterator[int]:
    """Yield a port that speaks TLS and nothing else, before a server's port."""
    async with _front(port, tls=certificate.context) as front:
        yield front


@asynccontextmanager
async def tls_before_postgres(port: int, certificate: Certificate) -> AsyncIterator[int]:
    """Yield a port that insists on TLS, asked for as PostgreSQL's clients ask for it, before a server's port."""

    async def agree(reader: Reader, writer: Writer) -> None:
        if await reader.readexactly(len(SSL_REQUEST)) != SSL_REQUEST:
            raise ConnectionRefusedError
        writer.write(b"S")
        await writer.start_tls(certificate.context)

    async with _front(port, greet=agree) as front:
        yield front


@asynccontextmanager
async def _front(port: int, *, tls: ssl.SSLContext | None = None, greet: Greet | None = None) -> AsyncIterator[int]:
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            if greet is not None:
                await greet(reader, writer)
            behind = await asyncio.open_connection(LOOPBACK, port)
            await asyncio.gather(_pipe(reader, behind[1]), _pipe(behind[0], writer))
        except (OSError, EOFError):
            writer.close()
        finally:
            connections.discard(task)

    server = await asyncio.start_server(serve, LOOPBACK, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _pipe(reader: Reader, writer: Writer) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

"""Whether the clients that get a URL can do anything with it, asked before they connect: they would ask for ever."""

from collections.abc import Callable, Mapping
from inspect import signature
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from asyncpg import connect_utils

from swaprail.certificate_files import check_authorities, check_own_certificate
from swaprail.hosts import check_host

_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_LEAST_VERSION = "TLSv1.2"  # asyncpg's default
_ENCRYPTED = ("require", "verify-ca", "verify-full")
# As asyncpg.connect reads a URL, which it does nowhere without connecting: docs/adr/0019.
_read_dsn = connect_utils._parse_connect_dsn_and_args  # type: ignore[attr-defined]  # noqa: SLF001
_ARGUMENTS = set(signature(_read_dsn).parameters) - {"dsn"}


class AuthoritiesMissingError(ValueError):
    """A certificate is to be checked, and nothing says against which."""


def check_postgres(url: str) -> None:
    """ValueError says what of the URL asyncpg does not take, and which of its files cannot be read."""
    given = _parameters(url)
    _check_tls(given)
    try:
        addresses = addresses_of(url)
    except (OSError, ValueError) as error:  # asyncpg's own is a ValueError
        _check_files(given)
        raise _refusal(error, given) from None
    for address in addresses:
        if not isinstance(address, str):
            check_host(address[0])


def addresses_of(url: str) -> list[str | tuple[str, int]]:
    """Return what asyncpg connects to: UNIX sockets, hosts with their ports."""
    addresses, _ = _read_dsn(dsn=url, **dict.fromkeys(_ARGUMENTS))
    return list(addresses)


def check_redis(url: str) -> None:
    """ValueError says which of the URL's files cannot be read."""
    given = _parameters(url)
    if directory := given.get("ssl_ca_path"):
        _named("ssl_ca_path", lambda: _check_directory(Path(directory)))
    _check_authorities(given, "ssl_ca_certs")
    _check_own(given, "ssl_certfile", "ssl_keyfile")


def _parameters(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def _check_tls(given: Mapping[str, str]) -> None:
    if given.get("sslrootcert") == "system":
        raise ValueError("sslrootcert=system is not understood: name the file, as /etc/ssl/certs/ca-certificates.crt")
    if given.get("sslnegotiation") == "direct" and given.get("sslmode") not in _ENCRYPTED:
        raise ValueError(f"sslnegotiation=direct needs an sslmode of {', '.join(_ENCRYPTED)}")
    least, most = given.get("ssl_min_protocol_version", _LEAST_VERSION), given.get("ssl_max_protocol_version")
    if most and _VERSIONS.index(least) > _VERSIONS.index(most):
        raise ValueError(f"ssl_max_protocol_version is below ssl_min_protocol_version, which is {least}")


def _check_files(given: Mapping[str, str]) -> None:
    _check_authorities(given, "sslrootcert")
    _check_authorities(given, "sslcrl")
    _check_own(given, "sslcert", "sslkey", given.get("sslpassword", ""))


def _check_authorities(given: Mapping[str, str], name: str) -> None:
    if file := given.get(name):
        _named(name, lambda: check_authorities(Path(file)))


def _check_own(given: Mapping[str, str], name: str, key_name: str, password: str = "") -> None:
    file, key = given.get(name), given.get(key_name)
    if key and not file:
        raise ValueError(f"the parameter {key_name} is of no use without {name}")
    if file:
        _named(name, lambda: check_own_certificate(Path(file), Path(key) if key else None, password))


def _check_directory(path: Path) -> None:
    if not path.is_dir():
        raise ValueError(f"{path} is no directory")


def _named(name: str, check: Callable[[], object]) -> None:
    try:
        check()
    except ValueError as error:
        raise ValueError(f"the parameter {name}: {error}") from None


def _refusal(error: Exception, given: Mapping[str, str]) -> ValueError:
    """Return why asyncpg does not take it, without the value that asyncpg would tell."""
    told = str(error)
    if told.startswith("root certificate file"):
        mode = given.get("sslmode")
        return AuthoritiesMissingError(f"sslmode={mode} needs the file of the certificates that are believed")
    if told.startswith("could not match"):
        return ValueError("it has as many ports as hosts, or one for all")
    return ValueError("asyncpg does not take it: are its ports numbers, has it a user, are its files of TLS readable?")

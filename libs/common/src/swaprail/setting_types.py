"""Kinds of settings that more than one has, each with what is wrong with a value: never the value itself."""

import re
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, FilePath, SecretStr

from swaprail.certificate_files import check_authorities
from swaprail.hosts import check_host, check_hosts, is_port, without_brackets

type Network = IPv4Network | IPv6Network

_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "WARN", "ERROR", "CRITICAL", "FATAL", "NOTSET"})
_SEED = re.compile("[0-9a-fA-F]{64}")
# Pages of extensions and of apps have schemes of their own.
_ORIGIN = re.compile(
    r"((?!ftp:|file:|javascript:|data:)[a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]+))?/?"
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def listed(value: str) -> list[str]:
    """Return what is separated by commas."""
    return [name.strip() for name in value.split(",") if name.strip()]


def networks_of(value: str) -> tuple[Network, ...]:
    """Return the networks of a list; ValueError when one is none."""
    try:
        return tuple(ip_network(name) for name in listed(value))
    except ValueError:
        raise ValueError(
            "addresses and networks are wanted, separated by commas; a network ends where its length says: 10.0.0.0/8"
        ) from None


def origins_of(value: str) -> list[str]:
    """Return the origins of a list as browsers send them; ValueError when one is none."""
    return [_origin(each.lower()) for each in listed(value)]


def _origin(text: str) -> str:
    if text == "null":
        return text  # of pages in a sandbox
    found = _ORIGIN.fullmatch(text)
    if found is None or not is_port(found[3] or "0"):
        raise ValueError("an origin is a scheme, a host and perhaps a port, in ASCII: https://app.example")
    scheme, host, port = found.groups()
    # Browsers leave out the port that is the scheme's own.
    return f"{scheme}://{host}" if port in (None, _DEFAULT_PORTS.get(scheme)) else f"{scheme}://{host}:{port}"


def _check_networks(value: str, *, or_all: bool = False) -> str:
    if not (or_all and value.strip() == "*"):
        networks_of(value)
    return value.strip()


def _check_origins(value: str) -> str:
    origins_of(value)
    return value


def _check_level(value: str) -> str:
    if value.upper() not in _LEVELS:
        raise ValueError("one of DEBUG, INFO, WARNING, ERROR and CRITICAL is wanted")
    return value


def _check_seed(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if secret and not _SEED.fullmatch(secret):
        raise ValueError("64 hex digits are wanted")
    return value


def _check_collector(value: str) -> str:
    """Return the URL of a collector: of one that cannot be used, every export would tell, with its password."""
    if value and not _is_http(value):
        raise ValueError("an address of OTLP/HTTP is wanted: http://collector:4318, or https://")
    return value


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        check_host(parts.hostname or "")
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    # What ends a login too early would be part of what follows it.
    return usable and not set(url) & set("\\ \t\r\n?#") and "@" not in parts.path


Host = Annotated[str, AfterValidator(without_brackets), AfterValidator(check_host)]
Hosts = Annotated[str, AfterValidator(check_hosts)]
LogLevel = Annotated[str, AfterValidator(_check_level)]
Collector = Annotated[str, AfterValidator(_check_collector)]
SignerSeed = Annotated[SecretStr, AfterValidator(_check_seed)]
AuthoritiesFile = Annotated[FilePath, AfterValidator(check_authorities)]
Networks = Annotated[str, AfterValidator(_check_networks)]
NetworksOrAll = Annotated[str, AfterValidator(partial(_check_networks, or_all=True))]
Origins = Annotated[str, AfterValidator(_check_origins)]

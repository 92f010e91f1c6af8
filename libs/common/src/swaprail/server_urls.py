"""URLs of PostgreSQL and Redis: composed of settings, and refused at start by the name of what is wrong, never its value."""

import re
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

_UNREADABLE = "is no URL: in a user or password, percent-encode whatever is not a letter, a digit or one of - . _ ~"

# What libpq lets a client ask for (PostgreSQL, 32.1.2), and asyncpg understands.
_OF_POSTGRES = re.compile(
    r"host|port|user|password|passfile|dbname|database|options|service|target_session_attrs|krbsrvname|gsslib"
    r"|ssl(mode|negotiation|cert|key|password|rootcert|crl)|ssl_(min|max)_protocol_version"
)
# The engine decides itself: its deadlines, how it notices dead links, what it is called, TLS before anything of Kerberos.
_OURS = re.compile(
    r"connect_timeout|keepalives(_idle|_interval|_count)?|tcp_user_timeout|(fallback_)?application_name|client_encoding"
    r"|gssencmode|sslcompression|sslsni|load_balance_hosts|channel_binding"
)
_OF_REDIS = re.compile(r"db|client_name|ssl_(ca_certs|ca_path|cert_reqs|certfile|keyfile|check_hostname)")


def host_and_port(host: str, port: int) -> str:
    """Return them as a URL has them: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if _is_ipv6(host) else f"{host}:{port}"


def postgres_url(host: str, port: int, login: str, database: str) -> str:
    """Return the URL of a server, or of one behind the UNIX socket in a directory."""
    name = quote(database, safe="")
    if host.startswith("/"):
        return f"postgresql://{login}@/{name}?{urlencode({'host': host, 'port': port})}"
    return f"postgresql://{login}@{host_and_port(host, port)}/{name}"


def usable_postgres_url(url: str) -> str:
    """Return the URL without what the engine decides itself; ValueError says what of it cannot be understood."""
    scheme, hosts, parameters = _parts(url)
    if scheme not in ("postgresql", "postgres"):
        raise ValueError(f"the scheme is postgresql, not {scheme}")
    if not hosts.strip(":") and "host" not in parameters:
        raise ValueError("it names no host; a UNIX socket is named by ?host=/directory")
    if parameters.get("channel_binding", "prefer") not in ("prefer", "disable"):
        raise ValueError("channel_binding=require cannot be kept; leave it out, and set sslmode=verify-full")
    kept = {name: value for name, value in parameters.items() if not _OURS.fullmatch(name)}
    for name in kept:
        if not _OF_POSTGRES.fullmatch(name):
            raise ValueError(f"the parameter {name} is not understood; a session is set up by options=-c name=value")
    if len(kept) < len(parameters):
        url = urlsplit(url)._replace(query=urlencode(kept, quote_via=quote)).geturl()
    several = "," in hosts or "," in kept.get("host", "")
    return with_options(url, target_session_attrs="read-write" if several else None)


def usable_redis_url(url: str) -> str:
    """Return the URL; ValueError says what of it cannot be understood."""
    scheme, hosts, parameters = _parts(url)
    if scheme not in ("redis", "rediss"):
        raise ValueError(f"the scheme is redis, or rediss for TLS, not {scheme}")
    if not hosts.strip(":"):
        raise ValueError("it names no host")
    for name in parameters:
        if not _OF_REDIS.fullmatch(name):
            raise ValueError(f"the parameter {name} is not understood; deadlines and the protocol are the engine's own")
    return url


def with_options(url: str, **options: object) -> str:
    """Return the URL with the options that are given and that it does not have itself."""
    parts = urlsplit(url)
    known = {name for name, _ in parse_qsl(parts.query)}
    added = urlencode({name: str(value) for name, value in options.items() if value and name not in known})
    return parts._replace(query="&".join(filter(None, (parts.query, added)))).geturl() if added else url


def _parts(url: str) -> tuple[str, str, dict[str, str]]:
    """Return the scheme, the hosts with their ports, and the parameters."""
    try:
        parts = urlsplit(url)
        parameters = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError(_UNREADABLE) from None
    # A character of a password that is not encoded ends what was meant to be the login.
    ended_early = "@" in f"{parts.path}{parts.query}" or parts.fragment
    if not url.lower().startswith(f"{parts.scheme}://") or ended_early:
        raise ValueError(_UNREADABLE)
    hosts = parts.netloc.rpartition("@")[2]
    if not all(_is_host_and_port(each) for each in hosts.split(",")):
        raise ValueError(_UNREADABLE)
    if len(dict(parameters)) < len(parameters):
        raise ValueError("a parameter is given twice")
    return parts.scheme, hosts, dict(parameters)


def _is_host_and_port(text: str) -> bool:
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return _is_ipv6(address) and (not port or (port[0] == ":" and _is_port(port[1:])))
    host, _, port = text.partition(":")
    return not set(host) & set("[]/@ ") and (not port or _is_port(port))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 65_536


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True

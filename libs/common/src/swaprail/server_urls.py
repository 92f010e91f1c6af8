"""URLs of PostgreSQL and Redis: composed of settings, and refused at start by the name of what is wrong, never its value."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from swaprail.hosts import check_host, host_and_port, hosts_of, in_brackets, is_host_and_port, is_ipv6

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
_TLS_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_POSTGRES_CHOICES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "ssl_min_protocol_version": _TLS_VERSIONS,
    "ssl_max_protocol_version": _TLS_VERSIONS,
    "target_session_attrs": ("any", "primary", "standby", "read-write", "read-only", "prefer-standby"),
    "gsslib": ("gssapi", "sspi"),
}
_OF_REDIS = re.compile(r"db|client_name|ssl_(ca_certs|ca_path|cert_reqs|certfile|keyfile|check_hostname)")
_REDIS_CHOICES = {"ssl_cert_reqs": ("none", "optional", "required")}


def postgres_url(hosts: str, port: int, login: str, database: str) -> str:
    """Return the URL of a server, of several of which one is primary, or of one behind the socket in a directory."""
    name, each = quote(database, safe=""), hosts_of(hosts)
    # Python reads no URL that has an IPv6 address after another host.
    if any(host.startswith("/") or (is_ipv6(host) and len(each) > 1) for host in each):
        where = urlencode({"host": ",".join(map(in_brackets, each)), "port": port})
        return f"postgresql://{login}@/{name}?{where}"
    return f"postgresql://{login}@{','.join(host_and_port(host, port) for host in each)}/{name}"


def usable_postgres_url(url: str) -> str:
    """Return the URL without what the engine decides itself; ValueError says what of it cannot be understood."""
    scheme, hosts, parameters = _parts(url)
    if scheme not in ("postgresql", "postgres"):
        raise ValueError(f"the scheme is postgresql, not {scheme}")
    if _has_nameless(hosts or parameters.get("host", "")):
        raise ValueError("it names no host; a UNIX socket is named by ?host=/directory")
    if parameters.get("channel_binding", "prefer") not in ("prefer", "disable"):
        raise ValueError("channel_binding=require cannot be kept; leave it out, and set sslmode=verify-full")
    kept = {name: value for name, value in parameters.items() if not _OURS.fullmatch(name)}
    for name in kept:
        if not _OF_POSTGRES.fullmatch(name):
            raise ValueError(f"the parameter {name} is not understood; a session is set up by options=-c name=value")
    _check_choices(kept, _POSTGRES_CHOICES)
    if len(kept) < len(parameters):
        url = urlsplit(url)._replace(query=urlencode(kept, quote_via=quote)).geturl()
    several = "," in hosts or "," in kept.get("host", "")
    return with_options(url, target_session_attrs="read-write" if several else None)


def usable_redis_url(url: str) -> str:
    """Return the URL; ValueError says what of it cannot be understood."""
    scheme, hosts, parameters = _parts(url)
    if scheme not in ("redis", "rediss"):
        raise ValueError(f"the scheme is redis, or rediss for TLS, not {scheme}")
    if _has_nameless(hosts):
        raise ValueError("it names no host")
    if "," in hosts:
        raise ValueError("it names several hosts, and one is wanted: the one that takes writes")
    check_host(unquote(urlsplit(url).hostname or ""))
    for name in parameters:
        if not _OF_REDIS.fullmatch(name):
            raise ValueError(f"the parameter {name} is not understood; deadlines and the protocol are the engine's own")
        if name.startswith("ssl_") and scheme == "redis":
            raise ValueError(f"the parameter {name} is for TLS: rediss://")
    _check_choices(parameters, _REDIS_CHOICES)
    numbers = [urlsplit(url).path.strip("/"), parameters.get("db", "")]
    if not all(re.fullmatch("[0-9]{0,9}", number) for number in numbers):
        raise ValueError("what follows the host is the number of a database: redis://cache:6379/0")
    return url


def _has_nameless(hosts: str) -> bool:
    return any(not each or each.startswith(":") for each in hosts.split(","))


def _check_choices(parameters: Mapping[str, str], choices: Mapping[str, Sequence[str]]) -> None:
    for name, value in parameters.items():
        if value and value not in choices.get(name, (value,)):
            raise ValueError(f"the parameter {name} is one of {', '.join(choices[name])}")


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
    if not all(is_host_and_port(each) for each in hosts.split(",")):
        raise ValueError(_UNREADABLE)
    if len(dict(parameters)) < len(parameters):
        raise ValueError("a parameter is given twice")
    return parts.scheme, hosts, dict(parameters)

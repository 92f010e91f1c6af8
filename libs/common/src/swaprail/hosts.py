"""Hosts as settings name them: names, addresses, and directories of UNIX sockets."""

from ipaddress import AddressValueError, IPv6Address

_NEVER_IN_A_HOST = frozenset("/?#@[]% \t,")


def host_and_port(host: str, port: int) -> str:
    """Return them as a URL has them: an IPv6 address in brackets."""
    return f"{in_brackets(host)}:{port}"


def in_brackets(host: str) -> str:
    """Return an IPv6 address in brackets, and any other host as it is."""
    return f"[{host}]" if is_ipv6(host) else host


def check_host(host: str) -> str:
    """Return the host; ValueError says why nobody can look it up."""
    if is_ipv6(host):
        return host
    if "://" in host:
        raise ValueError("a host is wanted, and this is a URL, for which there is another setting")
    if ":" in host:
        raise ValueError("a host is wanted without its port, which is a setting of its own")
    if _NEVER_IN_A_HOST & set(host):
        raise ValueError("one host is wanted, and in it there is no space, no comma, and none of / ? # @ [ ] %")
    try:
        host.encode("idna")
    except UnicodeError:
        raise ValueError("no name of a host: what is between two dots has 1 to 63 characters") from None
    return host


def check_hosts(hosts: str) -> str:
    """Return hosts separated by commas, or directories of UNIX sockets; ValueError says what is wrong with one."""
    for each in hosts_of(hosts):
        if not each:
            raise ValueError("there is no host beside a comma")
        if not each.startswith("/"):
            check_host(each)
    return hosts


def hosts_of(hosts: str) -> list[str]:
    """Return hosts that are separated by commas, IPv6 addresses without their brackets."""
    return [without_brackets(each) for each in hosts.split(",")]


def without_brackets(host: str) -> str:
    """Return an IPv6 address that may be in brackets without them, and any other host as it is."""
    inner = host[1:-1]
    return inner if host == f"[{inner}]" and is_ipv6(inner) else host


def is_host_and_port(text: str) -> bool:
    """Tell whether the text is what a URL has between its login and its path, or one of several there."""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return is_ipv6(address) and (not port or (port[0] == ":" and is_port(port[1:])))
    host, _, port = text.partition(":")
    return not set(host) & set("[]/@ ") and (not port or is_port(port))


def is_port(text: str) -> bool:
    """Tell whether the text is the number of a port."""
    return text.isascii() and text.isdigit() and int(text) < 65_536


def is_ipv6(text: str) -> bool:
    """Tell whether the text is an IPv6 address, without brackets."""
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True

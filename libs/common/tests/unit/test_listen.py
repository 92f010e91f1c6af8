"""Where servers listen."""

import socket

import pytest

from swaprail.runtime.listen import ListenError, listen


def _reaches(listener: socket.socket, host: str) -> bool:
    try:
        with socket.create_connection((host, listener.getsockname()[1]), 2):
            return True
    except OSError:
        return False


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_server_is_reached_when_its_host_is_a_name_or_of_ipv4(host: str) -> None:
    with listen(host, 0) as listener:
        assert _reaches(listener, "localhost")


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize(("host", "reached"), [("::1", ["::1"]), ("::", ["::1", "127.0.0.1"])])
def test_a_server_is_reached_when_its_host_is_of_ipv6(host: str, reached: list[str]) -> None:
    with listen(host, 0) as listener:
        assert all(_reaches(listener, each) for each in reached)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7", "a..b", f"{'a' * 64}.svc"])
def test_host_is_named_in_one_line_when_nothing_can_listen_there(host: str) -> None:
    with pytest.raises(ListenError) as refused:
        listen(host, 0)
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"HOST={host}: ")


def test_the_port_is_named_when_it_is_taken() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"port {port}"):
            listen("127.0.0.1", port)

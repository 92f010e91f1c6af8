"""Addresses of clients."""

import pytest

from swaprail.runtime.client_address import counted_as, forwarded_address, plain_address


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        (("10.0.0.1", 80), "10.0.0.1"),
        (("::ffff:10.0.0.1", 80, 0, 0), "10.0.0.1"),
        (("fd00::5", 80, 0, 0), "fd00::5"),
        (("fe80::1%eth0", 80, 0, 2), "fe80::1%eth0"),
        ("/run/socket", ""),
        (None, ""),
    ],
)
def test_a_peer_is_told_by_its_own_family_when_a_socket_has_both(peer: object, address: str) -> None:
    assert plain_address(peer) == address


def test_addresses_of_one_customer_are_counted_as_one_when_they_are_of_ipv6() -> None:
    assert counted_as("2001:db8:1:2::3") == counted_as("2001:db8:1:2:ffff::4") == "2001:db8:1:2::/64"
    assert counted_as("2001:db8:1:3::3") != counted_as("2001:db8:1:2::3")
    assert counted_as("::ffff:10.0.0.1") == counted_as("10.0.0.1") == "10.0.0.1"
    assert counted_as("unknown") == "unknown"


@pytest.mark.parametrize(
    ("hop", "address"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("1.2.3.4:5678", "1.2.3.4"),
        ("1.2.3.4:", "1.2.3.4"),
        ("[fd00::5]:443", "fd00::5"),
        ("[fd00::5]", "fd00::5"),
        ("fd00::5", "fd00::5"),
        ("fd00::5:443", "fd00::5:443"),
        ("[::ffff:10.0.0.1]:80", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("unknown", "unknown"),
        ("_hidden:1", "_hidden:1"),
        ("[fd00::5", "[fd00::5"),
        ("", ""),
    ],
)
def test_a_hop_is_told_by_its_address_when_it_has_a_port(hop: str, address: str) -> None:
    assert forwarded_address(hop) == address


def test_an_address_is_counted_as_itself_when_it_comes_with_a_port() -> None:
    assert counted_as("1.2.3.4:5678") == counted_as("1.2.3.4") == "1.2.3.4"
    assert counted_as("[2001:db8:1:2::3]:443") == "2001:db8:1:2::/64"

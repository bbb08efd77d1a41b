"""Which addresses may be called: nothing but the public internet, however an address is spelled."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.addresses import Address, allow_list, is_public

PRIVATE_NETWORKS = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/29",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
    "::/128", "::1/128", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16", "64:ff9b:1::/48", "fc00::/7",
    "fe80::/10", "fec0::/10", "ff00::/8", "4000::/3",
]  # fmt: skip


def within(network: str) -> st.SearchStrategy[Address]:
    parsed = ipaddress.ip_network(network)
    most = int(parsed.broadcast_address) - int(parsed.network_address)
    return st.integers(0, most).map(lambda number: parsed[number])


refused = st.one_of(*(within(network) for network in PRIVATE_NETWORKS))
refused_v4 = st.one_of(*(within(network) for network in PRIVATE_NETWORKS if "." in network))


@given(refused)
def test_addresses_of_closed_networks_are_refused(address: Address) -> None:
    assert not is_public(address)


@given(refused_v4, st.sampled_from(["::ffff:0:0", "64:ff9b::", "::"]))
def test_a_closed_ipv4_address_in_an_ipv6_one_is_refused(address: Address, prefix: str) -> None:
    spelled = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(address))
    assert not is_public(spelled)


@pytest.mark.parametrize(("prefix", "place"), [("2002::", 80), ("2001::", 64), ("2001::", 0)])
@given(number=st.integers(0, 2**32 - 1))
def test_tunnels_are_refused_wherever_they_lead(number: int, prefix: str, place: int) -> None:
    assert not is_public(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number << place))


@given(st.ip_addresses())
def test_what_is_public_is_global_unicast(address: Address) -> None:
    if is_public(address):
        assert address.is_global
        assert not any((address.is_private, address.is_multicast, address.is_loopback, address.is_link_local))


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_public_servers_are_not_refused(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


def test_an_address_with_a_zone_is_refused() -> None:
    assert not is_public(ipaddress.ip_address("2606:4700::1%eth0"))


@given(within("127.0.0.0/8"))
def test_a_listed_network_is_listed_in_ipv6_too(address: Address) -> None:
    listed = allow_list(("127.0.0.0/8", "fd00::/8"))
    assert listed.lists_address(address)
    assert listed.lists_address(ipaddress.IPv6Address(f"::ffff:{address}"))
    assert not listed.lists_address(ipaddress.ip_address("128.0.0.1"))


def test_names_are_listed_in_any_case() -> None:
    listed = allow_list((" Hook.Internal ", "10.0.0.1", ""))
    assert listed.lists_host("hook.INTERNAL.")
    assert not listed.lists_host("other.hook.internal")
    assert listed.lists_address(ipaddress.ip_address("10.0.0.1"))


def test_a_network_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="10.0.0.0/99"):
        allow_list(("10.0.0.0/99",))

"""Which network addresses outbound requests may go to: the public internet, and what the operator has listed.

Whoever gives us a URL could else reach, through us, what only we can reach: our own services, the machines beside us,
a cloud's metadata service (server-side request forgery).
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses by which hosts without IPv4 reach hosts without IPv6: as good as the IPv4 address within (RFC 6052)."""
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is handed out for use on the internet (RFC 4291 §2.4)."""
CLOSED: tuple[Network, ...] = (
    ipaddress.IPv4Network("168.63.129.16/32"),  # Azure's platform services; public by number only
    ipaddress.IPv4Network("192.88.99.0/24"),  # the former relays from IPv6 to IPv4 (RFC 7526)
    ipaddress.IPv6Network("2001::/32"),  # Teredo: leads to an IPv4 address of the sender's choice
    ipaddress.IPv6Network("2002::/16"),  # 6to4: the same
)
"""Routable by the registries' tables, but nobody's public server."""


def is_public(address: Address) -> bool:
    """Whether an address is a server's on the public internet; forms that hold an IPv4 address are judged by that."""
    if isinstance(address, ipaddress.IPv6Address):
        within = _within(address)
        if within is not None:
            return is_public(within)
        if address.scope_id is not None or address not in GLOBAL_UNICAST:
            return False
    if any(address in network for network in CLOSED if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _within(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one merely spells: mapped (RFC 4291 §2.5.5.2) or translated (RFC 6052)."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None


@dataclass(frozen=True, slots=True)
class AllowList:
    """Hosts (by name) and networks that requests may go to although they are not public."""

    hosts: frozenset[str]
    networks: tuple[Network, ...]

    def lists_host(self, host: str) -> bool:
        return host.lower().rstrip(".") in self.hosts

    def lists_address(self, address: Address) -> bool:
        """An IPv4 address is listed also where it comes in IPv6's clothes."""
        if isinstance(address, ipaddress.IPv6Address):
            within = _within(address)
            if within is not None:
                return self.lists_address(within)
        return any(address in network for network in self.networks if network.version == address.version)


@lru_cache(maxsize=32)
def allow_list(entries: tuple[str, ...]) -> AllowList:
    """The list that a setting's entries make; ValueError (which names the entry) for a network that is none."""
    hosts, networks = set(), []
    for entry in _stripped(entries):
        if network := _network(entry):
            networks.append(network)
        elif "/" in entry or " " in entry:
            raise ValueError(f"{entry!r} is neither a host's name nor a network such as 10.0.0.0/8.")
        else:
            hosts.add(entry.lower().rstrip("."))
    return AllowList(frozenset(hosts), tuple(networks))


def _stripped(entries: Iterable[str]) -> Iterable[str]:
    return filter(None, (entry.strip() for entry in entries))


def _network(entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None

"""Lists of networks such as `192.0.2.0/24` from which somebody may call.

Owns: their form, and whether an address belongs to them. Never: whose address it is behind a proxy (`CROUPIER_TRUSTED_PROXIES`).
Source: operate.md 6.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network


def plain_network(text: str) -> str | None:
    """Return a network or a single address in its usual form, or None for any other text, such as one with host bits."""
    try:
        return str(ip_network(text))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def may_call(networks: tuple[str, ...], address: str) -> bool:
    """Return whether these networks hold this address. Without networks every address may call."""
    if not networks:
        return True
    try:
        plain = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(plain, "ipv4_mapped", None)
    if mapped is not None:
        plain = mapped  # as a socket for both families says it
    return any(plain in network for network in map(_read, networks))


@lru_cache(maxsize=1024)
def _read(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)

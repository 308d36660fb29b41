"""Network addresses allowed for a peer: protection against server-side request forgery (SSRF).

Owns: the check of an address, and of a URL when it is saved. Never: a look-up or a connection. kit.http checks each
address again before it connects, because a name may resolve differently later. From operate.md 6 and casino.md 2.6.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

MAX_URL = 2048

_PRINTABLE = re.compile(r"[!-~]+")
_NETLOC = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_NAME = re.compile(
    r"(?=.{1,253}\.?\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?"
)
# Globally routed by the registries' tables, but never the address of a peer.
_NO_PEERS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments, one cloud's metadata among them
        "192.88.99.0/24",  # the old 6to4 relays
        "168.63.129.16/32",  # a cloud's platform address, reachable only from inside it
        "2001::/23",  # Teredo and other tunnels
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
    )
)
_UNICAST6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def address_problem(text: str) -> str | None:
    """Return why nothing may be sent to this IP address, as text; None for a public address."""
    try:
        address = _unwrapped(ipaddress.ip_address(text))
    except ValueError:
        return "is not a plain IP address"
    public = address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
    if isinstance(address, IPv6Address):
        public = public and address in _UNICAST6
    if public and not any(address in network for network in _NO_PEERS if network.version == address.version):
        return None
    return "is a private, local or reserved address"


def check_url(url: str, *, allow_private: bool) -> str | None:
    """Return the problem of a peer's URL, as text, or None. Host names are not looked up."""
    if not url:
        return "must not be empty"
    if len(url) > MAX_URL:
        return f"is longer than {MAX_URL} characters"
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        return "has white space, a backslash, a control or a non-ASCII character"
    try:
        parts = urlsplit(url)
        problem = "must not have a fragment" if "#" in url else _parts_problem(parts)
        return problem or _host_problem(parts.hostname or "", allow_private=allow_private)
    except ValueError:  # a port out of range, a bracket without its twin
        return "is not a URL"


@lru_cache(maxsize=4096)
def network_of(host: str) -> str:
    """Return the key of a limit per address: the address; of IPv6 its network, because one subscriber has all addresses in it."""
    if ":" not in host:
        return host
    try:
        return str(ipaddress.ip_network((host.partition("%")[0], 64), strict=False))
    except ValueError:
        return host


def _parts_problem(parts: SplitResult) -> str | None:
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if "@" in parts.netloc:
        return "must not hold a user name or password"
    if not parts.hostname:
        return "has no host"
    return None if _NETLOC.fullmatch(parts.netloc) and parts.port != 0 else "has a bad host or port"


def _host_problem(host: str, *, allow_private: bool) -> str | None:
    literal = _literal(host)
    if literal is not None:
        problem = None if allow_private else address_problem(literal)
        return problem and f"has a host that {problem}"
    if not _NAME.fullmatch(host):
        return "has a host that is neither a name nor an address"
    local = f".{host.rstrip('.')}".endswith(".localhost") and not allow_private
    return "has a host that is this machine" if local else None


def _literal(host: str) -> str | None:
    """Return the address that a resolver would read this host as, in canonical form; None for a name."""
    if ":" in host:
        return str(ipaddress.ip_address(host))
    try:  # also 127.1, 0x7f000001 and 2130706433, which resolvers take for addresses
        return socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address inside a mapped or NAT64 one, which is where the packets go."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(address.packed[12:])
    return address.ipv4_mapped or address

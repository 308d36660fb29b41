"""Layer 4: how providers speak. One folder per protocol, and one line here.

A new provider on a known protocol is a row and no code; a new protocol is its folder and its line.
"""

from croupier.providers import betcore_v1
from croupier.providers.protocol import ProviderProtocol

PROTOCOLS: dict[str, ProviderProtocol] = {
    "betcore_v1": betcore_v1.PROTOCOL,
}
"""Every registered protocol by the name a provider's row carries."""

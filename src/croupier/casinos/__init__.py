"""Layer 4: how casinos speak. One folder per protocol, and here one line per protocol.

Owns: the list of protocols. Never: a wire spelling or a rule of money. Spec: casino.md.
"""

from croupier.casinos import betcore_v2
from croupier.casinos.protocol import CasinoProtocol

PROTOCOLS: dict[str, CasinoProtocol] = {
    "betcore_v2": betcore_v2.PROTOCOL,
}
"""Every registered protocol by the name a casino's row carries."""

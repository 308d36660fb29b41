"""The casino protocol "betcore_v2": PascalCase JSON in envelopes, signed as a JWT inside a JSON string.

`messages` wire spellings · `outcomes` the code table · `signing` JWTs and bearers · `codec` bytes to meanings
and back · `client` what the hub calls at a casino · `access_tokens` access tokens by scope ·
`operations` what casinos may call at the hub · `routes` what is done then. Spec: casino.md.
"""

from croupier.casinos.betcore_v2.access_tokens import AccessTokens
from croupier.casinos.betcore_v2.client import CasinoClient
from croupier.casinos.betcore_v2.messages import HUB_ROOT
from croupier.casinos.betcore_v2.operations import CASINOS
from croupier.casinos.betcore_v2.routes import not_found, routes
from croupier.casinos.protocol import CasinoProtocol

PROTOCOL = CasinoProtocol("betcore_v2", HUB_ROOT, CasinoClient, routes, not_found, AccessTokens, CASINOS)

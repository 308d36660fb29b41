"""The provider protocol betcore_v1: camelCase JSON, HMAC headers, `_responseCode` in every answer (provider.md)."""

from croupier.providers.betcore_v1.client import ProviderClient
from croupier.providers.betcore_v1.messages import BASE_PATH
from croupier.providers.betcore_v1.operations import PROVIDERS
from croupier.providers.betcore_v1.routes import not_found, routes
from croupier.providers.protocol import ProviderProtocol

PROTOCOL = ProviderProtocol("betcore_v1", BASE_PATH, ProviderClient, routes, not_found, PROVIDERS)

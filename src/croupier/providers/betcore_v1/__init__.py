"""The provider protocol betcore_v1: camelCase JSON, HMAC headers, `_responseCode` in every answer (provider.md)."""

from croupier.providers.betcore_v1.client import ProviderClient
from croupier.providers.protocol import ProviderProtocol

PROTOCOL = ProviderProtocol(name="betcore_v1", gateway=ProviderClient)

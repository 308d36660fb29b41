"""The SignalR hub protocol without I/O: bytes in, typed messages out. Knows nothing of Croupier."""

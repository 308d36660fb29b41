"""General infrastructure (floor 1): the ports of clock, randomness and network, logs, metrics, cryptography."""

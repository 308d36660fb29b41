"""General infrastructure (layer 1): the ports of clock, randomness and network, logs, metrics, cryptography."""

"""Croupier: the open, self-hostable aggregator between casinos and game providers."""

__version__ = "0.1.0"

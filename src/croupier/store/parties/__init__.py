"""Counterparties in the database: casinos, providers, players, games, sessions and their keys."""

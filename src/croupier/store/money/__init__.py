"""Payments in the database: bets, calls, balances, and the group commit that writes them."""

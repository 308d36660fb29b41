"""Floor 1, pure: the rules of bets, payments and money. No I/O, no clock, no randomness."""

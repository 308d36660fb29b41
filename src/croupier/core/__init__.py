"""The pure rules of bets, payments and money (floor 1). No I/O, no clock, no randomness."""

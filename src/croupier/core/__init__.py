"""The pure rules of bets, payments and money (layer 1). No I/O, no clock, no randomness."""

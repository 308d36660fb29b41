"""Archives of bets and cashbacks that are over: their rows, and the verification of the files alone."""

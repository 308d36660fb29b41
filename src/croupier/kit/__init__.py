"""Floor 1, plumbing that knows nothing of gambling: the seams to clock, chance and network, and crypto."""

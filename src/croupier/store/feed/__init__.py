"""Tables of the live feed: game types, draws, jackpot meters, and the streams of snapshots."""

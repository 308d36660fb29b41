"""The live feed: draws and jackpots for casinos, over REST and a SignalR hub."""

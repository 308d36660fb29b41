"""Layer 5, the honest other sides: a casino and a game studio that speak the real protocols over HTTP.

Owns: two counterparties for the demo and the tests, written from the contract alone and sharing no code with the
hub's own halves, so that a misreading on either side shows. Never: real money, and no import of the hub's protocols,
flows or store. Everything here lives in memory and is gone when the process ends.
"""

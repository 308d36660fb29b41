"""The feed over REST, for casinos: token, draws, translations, jackpots.

`messages` wire spellings · `catalogue` names in several languages · `query` the query strings ·
`operations` what casinos may ask, as OpenAPI states it · `routes` what is done then. Spec: feed.md 1 and 2.
"""

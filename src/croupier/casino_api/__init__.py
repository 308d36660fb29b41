"""The casinos' own API under `/casino-api/v1`: catalogue, launch, sessions, bets, payments, statements, and the frame's calls.

`problems` the errors (RFC 9457) · `query` and `bodies` what is read · `records` and `money_records` what is written ·
`operations` what may be called, as OpenAPI states it · `routes` how a call is admitted and answered · `catalogue`,
`sessions`, `books`, `players`, `frame` what is done then · `player_tokens` the tokens of players in a browser. Spec: casino.md 3.
"""

"""Draw games of the sandbox studio: the rules, the proof of each result, and the studio that runs them by schedule.

Owns: keno, a dealt poker draw, a wheel and a crash game, with invented names and demo money. Never: an import of the hub's
halves; what the studio needs of the hub it asks over HTTP. Spec: feed.md 4.2.
"""

"""Floor 4: how casinos speak. One folder per protocol, and here one line per protocol.

Owns: the list of protocols. Never: a wire spelling or a rule of money. Spec: casino.md.
"""

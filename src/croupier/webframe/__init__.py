"""WebFrame: the embeddable client, and the pages and calls of the hub inside it.

Owns: the files that a browser loads, the shell of the frame, and the calls that the frame's own script makes. Never: money; a bet
passes through the provider of its game. Spec: webframe.md.
"""

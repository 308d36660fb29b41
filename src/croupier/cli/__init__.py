"""Floor 7: the command `croupier`. One file per group of commands; what they do lives on the floors below."""

from croupier.cli.app import main

__all__ = ["main"]

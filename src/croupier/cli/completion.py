"""Completion of the first words in a shell, from the index of commands: a person who presses Tab waits for no loading.

Owns: the answers for names of commands, in the forms that the scripts of typer for bash, zsh and fish expect. Never: options
and values, which the command itself completes once it is loaded.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Final

from croupier.cli.index import COMMANDS, COMPLETE

SUBCOMMANDS: Final[Mapping[str, str]] = {
    "sandbox": "casino site studio",
    "casino": "add list show set disable enable close open keys secret",
    "casino keys": "list rotate revoke retire reseal",
    "casino secret": "rotate",
    "keys": "list rotate revoke retire reseal",
    "secrets": "renew",
    "provider": "add list show set disable enable close open sync secret",
    "provider secret": "rotate",
    "game": "list set switch describe diff apply undo",
    "game-type": "list set",
    "player": "list show block unblock",
    "session": "open list",
    "jackpot": "add list show set freeze unfreeze verify",
    "cashback": "pay cancel",
    "reconcile": "list close",
    "recover": "begin status end",
    "feed": "watch",
    "incidents": "close",
    "notify": "list test set remove add",
    "notify add": "webhook mail",
    "payment": "list retry accept give-up",
    "bet": "list return settle",
    "proposal": "list approve refuse",
    "account": "add list close token uses",
}
"""The names below each group, in its order."""


def complete(environ: Mapping[str, str]) -> tuple[str, int] | None:
    """Return the output and the exit code for a shell that completes the name of a command, or None for anything else."""
    verb, _, shell = environ.get(COMPLETE, "").partition("_")
    asked = _asked(shell, environ) if verb == "complete" else None
    if asked is None:
        return None
    before, begun = asked
    names = _names_after(before)
    if names is None or begun.startswith("-"):
        return None
    found = {name: about for name, about in names.items() if name.startswith(begun)}
    return _said(shell, found, environ)


def _names_after(words: list[str]) -> dict[str, str] | None:
    """Return the names that may follow these words, each with its summary; None where only the command knows."""
    if not words:
        return {name: entry.summary for name, entry in COMMANDS.items()}
    names = SUBCOMMANDS.get(" ".join(words))
    return None if names is None else dict.fromkeys(names.split(), "")


def _asked(shell: str, environ: Mapping[str, str]) -> tuple[list[str], str] | None:
    """Return the words before the one to complete, without the program's name, and that word as far as it is typed."""
    if shell == "bash":
        words, at = _split(environ.get("COMP_WORDS", "")), environ.get("COMP_CWORD", "")
        if not at.isdecimal():
            return None
        return words[1 : int(at)], words[int(at)] if int(at) < len(words) else ""
    if shell in ("zsh", "fish"):
        line = environ.get("_TYPER_COMPLETE_ARGS", "")
        words = _split(line)[1:]
        return (words[:-1], words[-1]) if words and not line.endswith(" ") else (words, "")
    return None


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # a quote is still open
        return line.split()


def _said(shell: str, found: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str, int]:
    if shell == "bash":
        return "".join(f"{name}\n" for name in found), 0
    if shell == "zsh":
        items = "\n".join(f'"{name}":"{_for_zsh(about)}"' if about else f'"{name}"' for name, about in found.items())
        return (f"_arguments '*: :(({items}))'\n" if items else "_files\n"), 0
    if environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return "", 0 if found else 1
    return "".join(f"{name}\t{about}\n" if about else f"{name}\n" for name, about in found.items()), 0


def _for_zsh(text: str) -> str:
    for plain, escaped in (('"', '""'), ("'", "''"), ("$", "\\$"), ("`", "\\`"), (":", "\\\\:")):
        text = text.replace(plain, escaped)
    return text

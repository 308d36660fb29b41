"""Every command by name: where it lives and what it is for, known without loading any of them.

Owns: the table, and the help and version of the program as a whole, which nobody should wait for: loading the program
takes seconds of a processor. Never: what a command does; its own file says that, in the same words.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from croupier import __version__

RUNNING, TRADE, LOOKING = "Run it", "Who trades, and what", "Look into it"
ABOUT = "The hub between casinos and game providers: one wallet call, one bet, nothing lost or doubled."
EPILOG = "Settings are environment variables CROUPIER_*. Start with `croupier demo`, or with `croupier serve`."
WIDTH = 116
_INDENT = 14


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One command or group of commands: `thing` in `croupier.cli.<module>`."""

    module: str
    thing: str
    panel: str
    summary: str


COMMANDS: dict[str, CommandEntry] = {
    "serve": CommandEntry(
        "serve", "serve", RUNNING,
        "Run the hub: all APIs and pages on one port. Ctrl-C or SIGTERM finishes what is in flight and ends it.",
    ),
    "demo": CommandEntry(
        "demo", "demo", RUNNING,
        "Play every kind of round between a hub, a sandbox casino and a sandbox studio, and show what came of it.",
    ),
    "sandbox": CommandEntry("sandbox", "app", RUNNING, "One sandbox side alone, in the foreground, on 127.0.0.1."),
    "migrate": CommandEntry(
        "migrate", "migrate", RUNNING,
        "Bring the database to this program's schema; nothing to do when it is there.",
    ),
    "doctor": CommandEntry(
        "doctor", "doctor", RUNNING,
        "Check settings, key file, database, schema, clock, hub, queue, recovery and counterparties, and say what to do.",
    ),
    "openapi": CommandEntry(
        "openapi", "show_openapi", RUNNING,
        "Show what the hub serves: a table, or with --json the OpenAPI 3.1 document. Needs no database.",
    ),
    "casino": CommandEntry("casino", "app", TRADE, "Casinos: partners that keep player wallets."),
    "keys": CommandEntry("sealing", "keys", TRADE, "The keys that sign what casinos are sent."),
    "secrets": CommandEntry("sealing", "app", TRADE, "All secrets at once."),
    "provider": CommandEntry("provider", "app", TRADE, "Providers: partners that own games."),
    "game": CommandEntry("game", "app", TRADE, "Games: what providers list and the operator switches."),
    "player": CommandEntry("player", "app", TRADE, "Players: who they are, and who is excluded by the casino."),
    "session": CommandEntry("session", "app", TRADE, "Sessions: launched games."),
    "cashback": CommandEntry("cashback", "app", TRADE, "Cashbacks: money given back to a player outside any bet."),
    "trace": CommandEntry("trace", "trace", LOOKING, "Show everything one bet or cashback did, on both sides, in order."),
    "audit": CommandEntry(
        "audit", "audit", LOOKING,
        "Check the books: every invariant that rows can show. Exit code 1 if one does not hold.",
    ),
    "reconcile": CommandEntry("reconcile", "app", LOOKING, "Compare hub, casino and provider, bet by bet."),
    "recover": CommandEntry(
        "recover", "app", LOOKING, "Recovery mode: no new bets until what a restore lost is reconciled."
    ),
    "verify-draw": CommandEntry(
        "verify_draw", "verify_draw", LOOKING,
        "Recompute a draw from its published proof and say whether it holds. Exit code 1 if it does not.",
    ),
    "simulate": CommandEntry(
        "simulate", "simulate", LOOKING,
        "Play seeds in virtual time and compare everybody's books. Exit code 1 on any violation.",
    ),
    "ggr": CommandEntry(
        "ggr", "ggr", LOOKING,
        "Gross gaming revenue: stakes minus wins of the bets settled in [from, to), less those undone in it.",
    ),
    "incidents": CommandEntry("incidents", "app", LOOKING, "What a person must look at."),
    "payment": CommandEntry("payment", "app", LOOKING, "Payments: for the person who must look at one."),
    "bet": CommandEntry("bet", "app", LOOKING, "Bets: for the person who must end an incomplete game."),
}  # fmt: skip


def version_text() -> str:
    """What `croupier --version` prints."""
    return f"croupier {__version__}\n"


def help_text() -> str:
    """What `croupier --help` prints."""
    parts = ["Usage: croupier [--version] [--help] COMMAND [ARGS]...", "", ABOUT, ""]
    for panel in (RUNNING, TRADE, LOOKING):
        parts += [f"{panel}:", *(_line(n, e.summary) for n, e in COMMANDS.items() if e.panel == panel), ""]
    parts += ["Each command explains itself with --help.", EPILOG, ""]
    return "\n".join(parts)


def _line(name: str, summary: str) -> str:
    return textwrap.fill(
        summary, WIDTH, initial_indent=f"  {name} ".ljust(_INDENT), subsequent_indent=" " * _INDENT,
        break_long_words=False,
    )  # fmt: skip


def at_once(words: list[str]) -> str | None:
    """What these words print without any command being loaded; None if they name one."""
    if words in ([], ["--help"]):
        return help_text()
    return version_text() if words == ["--version"] else None

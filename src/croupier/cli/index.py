"""The index of commands: module and summary of each, readable without loading any of them.

Owns: the table, and the help and version of the program as a whole, which nobody should wait for: loading the program
takes seconds of a processor. Never: what a command does; its own file says that, in the same words.
"""

from __future__ import annotations

import os
import textwrap
from dataclasses import dataclass

from croupier import __version__

RUNNING, TRADE, LOOKING = "Run it", "Who trades, and what", "Look into it"
ABOUT = "The hub between casinos and game providers: one wallet call, one bet, nothing lost or doubled."
COMPLETION = "Tab completes commands in bash, zsh and fish after `croupier --install-completion` and a new terminal."
EPILOG = "Settings are environment variables CROUPIER_*. Start with `croupier demo`, or with `croupier serve`."
WIDTH = 116
COMPLETE = "_CROUPIER_COMPLETE"
"""The variable in which a shell that completes a line says what it asks for."""
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
        "Run the hub: all APIs and pages on one port. Ctrl-C or SIGTERM finishes the requests in flight and ends it.",
    ),
    "demo": CommandEntry(
        "demo", "demo", RUNNING,
        "Play every kind of round between a hub, a sandbox casino and a sandbox studio, and show the results.",
    ),
    "sandbox": CommandEntry("sandbox", "app", RUNNING, "Run a sandbox casino or studio alone, in the foreground, on 127.0.0.1."),
    "migrate": CommandEntry(
        "migrate", "migrate", RUNNING,
        "Bring the database to this program's schema. Does nothing if it is there already.",
    ),
    "backup": CommandEntry(
        "backup", "backup", RUNNING,
        "Write the database and the audit trail's checkpoints into one encrypted file. The hub may serve meanwhile.",
    ),
    "restore": CommandEntry(
        "backup", "restore", RUNNING,
        "Put a backup into a home that no hub serves. The next start of the hub enters recovery mode by itself.",
    ),
    "archive": CommandEntry(
        "archive", "archive", RUNNING,
        "Write bets and cashbacks that are over, with all their rows, into signed files. Nothing is deleted.",
    ),
    "prune": CommandEntry(
        "archive", "prune", RUNNING,
        "Delete the entries and events that archives hold and that are older than CROUPIER_MONEY_KEEP_YEARS.",
    ),
    "doctor": CommandEntry(
        "doctor", "doctor", RUNNING,
        "Check settings, key file, database, schema, clock, hub, queue, recovery and counterparties, and say what to do.",
    ),
    "openapi": CommandEntry(
        "openapi", "show_openapi", RUNNING,
        "Show what the hub serves: a table, or with --json the OpenAPI 3.1 document. Needs no database.",
    ),
    "asyncapi": CommandEntry(
        "asyncapi", "show_asyncapi", RUNNING,
        "Show the messages of the live feed's socket: a table, or with --json the AsyncAPI 3.0 document. Needs no database.",
    ),
    "casino": CommandEntry("casino", "app", TRADE, "Manage casinos, the partners that keep the players' wallets."),
    "keys": CommandEntry("sealing", "keys", TRADE, "Manage the keys that sign calls to casinos."),
    "secrets": CommandEntry("sealing", "app", TRADE, "Renew every secret at once."),
    "provider": CommandEntry("provider", "app", TRADE, "Manage providers, the partners that own games."),
    "game": CommandEntry("game", "app", TRADE, "Show games, change their settings and switch them on or off."),
    "game-type": CommandEntry(
        "game_type", "app", TRADE, "Show the game types of the live feed, switch maintenance, and name their games."
    ),
    "player": CommandEntry("player", "app", TRADE, "Show, exclude and readmit players."),
    "session": CommandEntry("session", "app", TRADE, "Launch a game for a player, and find sessions."),
    "jackpot": CommandEntry(
        "jackpot", "app", TRADE, "Open, show, change and freeze jackpot pots, and verify their rounds."
    ),
    "cashback": CommandEntry("cashback", "app", TRADE, "Pay a cashback to a player, or cancel one."),
    "trace": CommandEntry("trace", "trace", LOOKING, "Show everything one bet or cashback did, on both sides, in order."),
    "why": CommandEntry(
        "why", "why", LOOKING, "Say why a game is not available at a casino, or why a bet is as it is: each rule, who set it and when."
    ),
    "audit": CommandEntry(
        "audit", "audit", LOOKING,
        "Check the books: every invariant that rows can prove. Exit code 1 if one does not hold.",
    ),
    "verify-archive": CommandEntry(
        "archive", "verify_archive", LOOKING,
        "Verify archives by their files alone: signatures, parts, and the books of every bet. Exit code 1 if one does not hold.",
    ),
    "reconcile": CommandEntry("reconcile", "app", LOOKING, "Compare hub, casino and provider, bet by bet."),
    "recover": CommandEntry(
        "recover", "app", LOOKING, "Enter, show and leave recovery mode: no new bets until what a restore lost is reconciled."
    ),
    "verify-draw": CommandEntry(
        "verify_draw", "verify_draw", LOOKING,
        "Recompute a draw from its published proof and say whether it holds. Exit code 1 if it does not.",
    ),
    "feed": CommandEntry("feed", "app", LOOKING, "Follow the live feed as a casino's client does."),
    "simulate": CommandEntry(
        "simulate", "simulate", LOOKING,
        "Play seeds in virtual time and compare everybody's books. Exit code 1 on any violation.",
    ),
    "bench": CommandEntry(
        "bench", "bench", LOOKING,
        "Measure a temporary hub under load: bets per second, waits, the cost of a bet. Exit code 1 if its books do not agree.",
    ),
    "ggr": CommandEntry(
        "ggr", "ggr", LOOKING,
        "Show gross gaming revenue: stakes minus wins of the bets settled in [from, to), less those undone in it.",
    ),
    "incidents": CommandEntry("incidents", "app", LOOKING, "Show what needs a person, or close an incident."),
    "notify": CommandEntry("notify", "app", LOOKING, "Say who is told of incidents, by webhook or mail, and test it."),
    "payment": CommandEntry("payment", "app", LOOKING, "Find payments, and decide about one by hand."),
    "proposal": CommandEntry("proposal", "app", LOOKING, "Approve or refuse what another person proposed."),
    "account": CommandEntry(
        "account", "app", TRADE, "Manage the accounts of persons, who approve each other's decisions."
    ),
    "bet": CommandEntry("bet", "app", LOOKING, "Find bets, and end an incomplete game by hand."),
}  # fmt: skip


def version_text() -> str:
    """Return the output of `croupier --version`."""
    return f"croupier {__version__}\n"


def help_text() -> str:
    """Return the output of `croupier --help`."""
    parts = ["Usage: croupier [--version] [--help] COMMAND [ARGS]...", "", ABOUT, ""]
    for panel in (RUNNING, TRADE, LOOKING):
        parts += [f"{panel}:", *(_line(n, e.summary) for n, e in COMMANDS.items() if e.panel == panel), ""]
    parts += ["Each command explains itself with --help.", EPILOG, COMPLETION, ""]
    return "\n".join(parts)


def _line(name: str, summary: str) -> str:
    return textwrap.fill(
        summary, WIDTH, initial_indent=f"  {name} ".ljust(_INDENT), subsequent_indent=" " * _INDENT,
        break_long_words=False,
    )  # fmt: skip


def at_once(words: list[str]) -> str | None:
    """Return the output of these words if they need no command, or None."""
    if COMPLETE in os.environ:
        return None
    if words in ([], ["--help"]):
        return help_text()
    return version_text() if words == ["--version"] else None

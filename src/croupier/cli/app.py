"""The tree of commands, and what becomes of whatever a command raises.

Owns: the entry point, the exit codes (0 done, 1 it failed or something is wrong, 2 wrong usage), one clear sentence on
standard error. Never: what a command does. Spec: operate.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from croupier import __version__
from croupier.cli import (
    audit,
    bet,
    cashback,
    casino,
    demo,
    doctor,
    game,
    ggr,
    incidents,
    keys,
    migrate,
    openapi,
    payment,
    player,
    provider,
    reconcile,
    recover,
    sandbox,
    sealing,
    serve,
    session,
    simulate,
    trace,
)
from croupier.cli.sentences import sentence
from croupier.cli.show import complain

app = typer.Typer(
    name="croupier",
    help="The hub between casinos and game providers: one wallet call, one bet, nothing lost or doubled.",
    epilog="Settings are environment variables CROUPIER_*. Start with `croupier demo`, or with `croupier doctor`.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
RUNNING, TRADE, LOOKING = "Run it", "Who trades, and what", "Look into it"

app.command("serve", rich_help_panel=RUNNING)(serve.serve)
app.command("demo", rich_help_panel=RUNNING)(demo.demo)
app.add_typer(sandbox.app, name="sandbox", rich_help_panel=RUNNING)
app.command("migrate", rich_help_panel=RUNNING)(migrate.migrate)
app.command("doctor", rich_help_panel=RUNNING)(doctor.doctor)
app.command("openapi", rich_help_panel=RUNNING)(openapi.show_openapi)
app.add_typer(casino.app, name="casino", rich_help_panel=TRADE)
app.add_typer(keys.app, name="keys", rich_help_panel=TRADE)
app.add_typer(sealing.app, name="secrets", rich_help_panel=TRADE)
app.add_typer(provider.app, name="provider", rich_help_panel=TRADE)
app.add_typer(game.app, name="game", rich_help_panel=TRADE)
app.add_typer(player.app, name="player", rich_help_panel=TRADE)
app.add_typer(session.app, name="session", rich_help_panel=TRADE)
app.add_typer(cashback.app, name="cashback", rich_help_panel=TRADE)
app.command("trace", rich_help_panel=LOOKING)(trace.trace)
app.command("audit", rich_help_panel=LOOKING)(audit.audit)
app.add_typer(reconcile.app, name="reconcile", rich_help_panel=LOOKING)
app.add_typer(recover.app, name="recover", rich_help_panel=LOOKING)
app.command("simulate", rich_help_panel=LOOKING)(simulate.simulate)
app.command("ggr", rich_help_panel=LOOKING)(ggr.ggr)
app.add_typer(incidents.app, name="incidents", rich_help_panel=LOOKING)
app.add_typer(payment.app, name="payment", rich_help_panel=LOOKING)
app.add_typer(bet.app, name="bet", rich_help_panel=LOOKING)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"croupier {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """The hub between casinos and game providers: one wallet call, one bet, nothing lost or doubled."""


def main(words: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code."""
    sys.exit(run(sys.argv[1:] if words is None else words))


def run(words: Sequence[str]) -> int:
    """Run a command; its exit code. Without any word it shows the help."""
    try:
        code = app(list(words) or ["--help"], prog_name="croupier", standalone_mode=False)
    except typer.TyperException as wrong:
        complain(_usage(wrong))
        return wrong.exit_code
    except typer.Abort:
        return 130
    except Exception as error:
        if os.environ.get("CROUPIER_LOG_LEVEL", "").lower() == "debug":
            raise
        complain(sentence(error))
        return 1
    return code if isinstance(code, int) else 0


def _usage(wrong: typer.TyperException) -> str:
    context = getattr(wrong, "ctx", None)
    path = "croupier" if context is None else context.command_path
    return f"{wrong.format_message().rstrip('.')}. See `{path} --help`."

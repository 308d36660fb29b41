"""`croupier session`: launch a game for a player, and find sessions. Spec: operate.md 2, provider.md 3.2, casino.md 2 (users/auth).

Owns: the words. Never: who may play what (flows.launch).
"""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.admin_api import search
from croupier.admin_api.errors import CommandError
from croupier.admin_api.search import SessionFilters
from croupier.cli.find import casino_of, check_player, game_of
from croupier.cli.running import AsJson, ask, with_hub
from croupier.cli.search import show_page, with_filters
from croupier.cli.secret_options import taken_in
from croupier.cli.show import show_facts, show_json
from croupier.core.counterparty import Casino
from croupier.core.readings import No, Unknown
from croupier.flows.authorize import authorize
from croupier.flows.hub import Hub
from croupier.flows.launch import Launched, LaunchRequest, launch
from croupier.kit.settings import Settings
from croupier.store.parties.players import Player

LONGEST_TOKEN = 4096
COLUMNS = (
    "session_id", "?casino", "player", "??provider", "game", "?currency", "??demo", "opened_ms", "expires_ms", "??ended_by",
    "???end_reason",
)  # fmt: skip

app = typer.Typer(help="Launch a game for a player, and find sessions.")


@app.callback()
def group() -> None:
    """Launch a game for a player, and find sessions."""


@app.command("open")
def open_(
    *,
    casino: Annotated[str, typer.Option("--casino", help="Id or name of the player's casino.")],
    player: Annotated[
        str | None, typer.Option("--player", help="The player's id at the casino; registered if unknown.")
    ] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="The player's currency.")] = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            "--token-file",
            metavar="-|PATH",
            help="File with a RefreshToken, `-` for standard input. The casino identifies the player.",
        ),
    ] = None,
    game: Annotated[str, typer.Option("--game", help="The provider's gameId, or provider/gameId if two have it.")],
    demo: Annotated[bool, typer.Option("--demo", help="Play with a virtual balance that no casino sees.")] = False,
    as_json: AsJson = False,
) -> None:
    """Launch a game for --player with --currency, or for the player of --token. Prints the session and its frame."""
    if (player is not None, currency is not None) != (token is None, token is None):
        raise typer.BadParameter("give --player and --currency, or --token alone")
    given = None if token is None else taken_in("token", token)

    async def work(hub: Hub, _: Settings) -> Launched:
        if player is not None:
            check_player(player)
        found, wanted = await casino_of(hub, casino), await game_of(hub, game)
        if given is not None:
            known = await _behind(hub, found, given)
            wish = LaunchRequest(known.player_ref, known.currency, wanted.game_id, known.language or "en", demo=demo)
        else:
            wish = LaunchRequest(str(player), str(currency), wanted.game_id, demo=demo)
        return await launch(hub, found, wish)

    launched = with_hub(work, waits="nobody answers the game's calls")
    opened = {"sessionId": launched.session_id, "frameUri": launched.frame_uri}
    if as_json:
        show_json(opened)
    else:
        show_facts("Session", opened)


@app.command("list")
@with_filters(SessionFilters)
def list_(wish: SessionFilters, as_csv: bool, as_json: bool) -> None:
    """Show sessions of all casinos, those opened last first."""
    show_page("Sessions", ask(search.sessions, wish), columns=COLUMNS, forms=(as_json, as_csv))


async def _behind(hub: Hub, casino: Casino, token: str) -> Player:
    """Return the player of this token, as the casino reports. Raises CommandError."""
    if not 1 <= len(token) <= LONGEST_TOKEN:
        raise CommandError(f"a token must be 1 to {LONGEST_TOKEN} characters")
    answer = await authorize(hub, casino, token)
    if isinstance(answer, No):
        why = f"{answer.reason.value}, {answer.code} {answer.message}".strip()
        # Not "token: ...": what follows such a word is scrubbed as a secret.
        raise CommandError(f"casino {casino.name} refused this token ({why}): get a new one from it")
    if isinstance(answer, Unknown):
        raise CommandError(
            f"casino {casino.name} did not say who the player is ({answer.why}): see that it runs, and try again"
        )
    return answer

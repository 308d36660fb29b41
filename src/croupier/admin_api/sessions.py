"""The command that launches a game for a player. Spec: operate.md 2, provider.md 3.2, casino.md 2 (users/auth).

Owns: who is named, and how. Never: who may play what (flows.launch). A token is no part of any record or message.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from croupier.admin_api.command import Params, command
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import BadParameter, CommandError
from croupier.admin_api.words import check_name
from croupier.core.account import Role
from croupier.core.counterparty import Casino
from croupier.core.readings import No, Unknown
from croupier.flows.authorize import authorize
from croupier.flows.hub import Hub
from croupier.flows.launch import LaunchRequest, launch
from croupier.store.parties.players import Player

LONGEST_TOKEN: Final = 4096


class OpenSessionParams(Params, frozen=True, kw_only=True):
    """The game and who plays it: `player` with `currency`, or the player of `token`."""

    casino: Annotated[str, Meta(description="Id or name of the player's casino.")]
    game: Annotated[str, Meta(description="The provider's gameId, or provider/gameId if two have it.")]
    player: Annotated[str, Meta(description="The player's id at the casino; registered if unknown.")] | None = None
    currency: Annotated[str, Meta(description="The player's currency.")] | None = None
    token: Annotated[str, Meta(description="A RefreshToken: the casino identifies the player.")] | None = None
    demo: Annotated[bool, Meta(description="Play with a virtual balance that no casino sees.")] = False

    def check(self) -> None:
        """Raise BadParameter unless the player is named in one way, by what may be an id or a token."""
        if (self.player is not None, self.currency is not None) != (self.token is None, self.token is None):
            raise BadParameter("player", "and `currency` must be given, or `token` alone")
        if self.player is not None:
            check_name("player", self.player)
        if self.token is not None and not 1 <= len(self.token) <= LONGEST_TOKEN:
            raise BadParameter("token", f"must be 1 to {LONGEST_TOKEN} characters")


class OpenedSession(Struct, frozen=True):
    """An open game: its session and the address of its frame."""

    session_id: str = field(name="sessionId")
    frame_uri: str = field(name="frameUri")


# Who has the address of a frame plays with the player's money.
@command("POST sessions", words="session open", role=Role.ADMINISTER)
async def open_(desk: Desk, wish: OpenSessionParams) -> OpenedSession:
    """Launch a game for a player with a currency, or for the player of a token."""
    casino, game = await desk.casino(wish.casino), await desk.game(wish.game)
    if wish.token is not None:
        known = await _behind(desk.hub, casino, wish.token)
        request = LaunchRequest(
            known.player_ref, known.currency, game.game_id, known.language or "en", demo=wish.demo
        )  # fmt: skip
    else:
        request = LaunchRequest(str(wish.player), str(wish.currency), game.game_id, demo=wish.demo)
    launched = await launch(desk.hub, casino, request)
    return OpenedSession(launched.session_id, launched.frame_uri)


async def _behind(hub: Hub, casino: Casino, token: str) -> Player:
    """Return the player of this token, as the casino reports. Raises CommandError."""
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

"""The jackpot of `croupier demo`: a small pot that the demo's bets fill, and the line that says who won it.

Owns: the pot and the line. Never: the hub's own claim that the round was fair: it is recomputed from what was published. Demo money only.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.apps.world import LocalWorld
from croupier.core.jackpot import Pot, RoundState
from croupier.core.jackpot_proof import RoundProof, problems_of
from croupier.core.money import format_amount
from croupier.flows.hub import Hub
from croupier.flows.jackpots import add_pot
from croupier.store.money.jackpots import StoredRound

NAME = "Demo jackpot"
SHARE_BP, SEED, CEILING = 500, 500, 600
"""5 % of each stake; the first 20.00 of settled stakes win it at the latest."""
SHORTENED = {"CROUPIER_BIND_EVERY_S": "0.5", "CROUPIER_JACKPOT_EVERY_S": "0.5"}


@dataclass(frozen=True, slots=True)
class OpenedJackpot:
    """The pot, and the round that it was in when the demo began. The demo's bets must win that round."""

    pot_id: int
    number: int


async def open_jackpot(hub: Hub, world: LocalWorld) -> OpenedJackpot:
    """Open the pot, or take that of an earlier demo in the same home."""
    known = await hub.store.jackpots.find(NAME)
    if known is None:
        pot = Pot(await hub.store.ids.take(), NAME, "EUR", SHARE_BP, SEED, CEILING)
        known = await add_pot(hub, pot, f"demo {world.hub.pid}")
    return OpenedJackpot(known.pot.pot_id, known.pot.number)


async def is_paid(hub: Hub, opened: OpenedJackpot) -> bool:
    """Return whether the round was won, and its win accepted by the casino."""
    (won,) = await hub.store.jackpots.rounds(opened.pot_id, number=opened.number)
    return won.state is RoundState.WON and won.payment == "accepted"


async def jackpot_line(hub: Hub, opened: OpenedJackpot) -> tuple[str, bool]:
    """Return the line about the round, and whether it is as it should be."""
    (won,) = await hub.store.jackpots.rounds(opened.pot_id, number=opened.number)
    if won.state is not RoundState.WON or won.secret is None:
        return f"{NAME}: not won yet", False
    shares = await hub.store.jackpots.shares(opened.pot_id, opened.number)
    wrong = problems_of(_proof(won, won.secret, [(row["bet_id"], row["amount"]) for row in shares]))
    prize = format_amount(won.seed + won.contributed, won.currency)
    verdict = "; ".join(wrong) or "verified"
    told = (
        f"{NAME}: {won.player_ref} won {prize} {won.currency} with bet {won.won_by}, paid as {won.win_id} ({verdict})"
    )
    return told, not wrong


def _proof(won: StoredRound, secret: str, shares: list[tuple[int, int]]) -> RoundProof:
    amount = won.seed + won.contributed
    return RoundProof(
        won.pot_id, won.number, won.currency, seed=won.seed, ceiling=won.ceiling, commitment=won.commitment, secret=secret,
        shares=shares, won_by=won.won_by, amount=amount,
    )  # fmt: skip

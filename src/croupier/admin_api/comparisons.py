"""The command that compares one bet with its casino. Spec: money.md 8, operate.md 2.

Owns: which bet. Never: a rule (flows.reconcile). It asks the casino and may repair, so it is no mere reading.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from croupier.admin_api.command import Params, command
from croupier.admin_api.desk import Desk
from croupier.admin_api.errors import CommandError, NotFound
from croupier.admin_api.oversight import MOST
from croupier.core.account import Role
from croupier.core.bet import Bet
from croupier.core.counterparty import Casino
from croupier.flows.rate_limit import compare_all
from croupier.flows.reconcile import BetComparison, query_unknown_bet
from croupier.store.oversight.findings import Finding
from croupier.store.storable import id_of


class CompareBetParams(Params, frozen=True, kw_only=True):
    """A bet, and the casino that is asked about one which the hub does not have."""

    bet: Annotated[str, Meta(description="The hub's BetId, or provider:betId.")]
    casino: Annotated[str, Meta(description="With it the BetId may be unknown to the hub.")] | None = None


class ComparedBet(Struct, frozen=True):
    """What the comparison gave, and the findings of the bet that are open now. `not_asked` is 1 if the casino was not asked."""

    compared: tuple[BetComparison, ...]
    not_asked: int
    findings: tuple[Finding, ...]
    open_findings: int


@command("POST bets/{bet}/reconcile", words="reconcile --bet", role=Role.OPERATE)
async def compare_bet(desk: Desk, wish: CompareBetParams) -> ComparedBet:
    """Compare one bet with its casino, repair what a rule repairs, and show what is open of it."""
    casino = None if wish.casino is None else await desk.casino(wish.casino)
    number = None if casino is None else await _unknown(desk, wish.bet)
    if casino is not None and number is not None:
        desk.need_all_providers("nobody knows the provider of a bet that the hub does not have")
        compared, not_asked = [await query_unknown_bet(desk.hub, casino, number)], 0
    else:
        bet = await _bet(desk, wish.bet, casino)
        number = bet.bet_id
        compared, not_asked = await compare_all(desk.hub, [(number, bet.casino_id)])
        # A comparison that failed is in neither of the two.
        not_asked = not_asked if compared else 1
    findings = desk.hub.store.findings
    of_these = {"casino_ids": await desk.casino_ids(wish.casino), "provider_ids": await desk.provider_ids(None)}
    found = await findings.open_ones(MOST, **of_these, subject_id=number)
    return ComparedBet(tuple(compared), not_asked, tuple(found), await findings.count(**of_these, subject_id=number))


async def _unknown(desk: Desk, text: str) -> int | None:
    """Return the number if it is no bet and no cashback of the hub."""
    number, store = id_of(text), desk.hub.store
    if number is None or await store.bets.by_id(number) is not None:
        return None
    return number if await store.cashbacks.by_id(number) is None else None


async def _bet(desk: Desk, text: str, casino: Casino | None) -> Bet:
    """Return the bet that the text names. Raises NotFound, CommandError."""
    bet_id = await desk.subject(text)
    bet = await desk.hub.store.bets.by_id(bet_id)
    if bet is None:
        raise CommandError(f"{bet_id} is a cashback, and casinos have no call that asks after one: compare it by hand")
    if casino is not None and bet.casino_id != casino.casino_id:
        raise NotFound(f"casino {casino.name} has no bet {bet_id}: leave the casino out")
    return bet

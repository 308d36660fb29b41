"""Jackpot pots: gather shares behind the payments, owe the wins, and carry out a person's commands.

One process at a time holds the lease. It reads the committed ledger in order, after each pot's own mark; a payment never waits for
it. A win is decided with its round in one transaction, and then opened as a bet by the group commit, which sends it like any payment
that is owed. Each of the two steps is repeated until it is done, and changes nothing when it is done already.

Owns: when and in which order that happens. Never: a rule (core.jackpot), SQL (store.money.jackpots). Spec: decision 0050.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from croupier.core import jackpot
from croupier.core.bet import Bet, Origin
from croupier.core.bet_requests import open_jackpot
from croupier.core.jackpot import SECRET_BYTES, BadPot, Gathered, Pot, win_ref
from croupier.flows.advance import TRIES, Contended
from croupier.flows.hub import Hub
from croupier.flows.provider_request import NotTaken, commit_new_bet
from croupier.kit.log import get
from croupier.kit.seal import SealBroken
from croupier.store.db import DbViolation
from croupier.store.money.group_commit import Broken
from croupier.store.money.jackpots import DueWin, Fresh, StoredPot

log = get("jackpots")

LEASE_S: Final = 15
STEP: Final = 10_000
"""The most ledger entries that one transition reads."""
NOBODY: Final = 0


async def keep_jackpots(hub: Hub, every_s: float) -> None:
    """Gather and award in a loop; never returns. A process without the lease does nothing."""
    while True:
        await hub.clock.sleep(every_s)
        if hub.state.recovery is None and await _has_lease(hub):
            await gather_all(hub)
            await award_all(hub)


async def gather_all(hub: Hub) -> int:
    """Feed every pot with what was settled since its mark. Return the number of shares. A pot that fails stops no other."""
    pots = await hub.store.jackpots.all()
    upto = await hub.store.jackpots.bound_upto() if pots else 0
    shares = 0
    for stored in pots:
        try:
            shares += await _gather_pot(hub, stored, upto)
        except (AssertionError, DbViolation, SealBroken) as error:
            await _stopped(hub, stored.pot.pot_id, f"pot {stored.pot.name} is not fed", error=error)
    return shares


async def award_all(hub: Hub) -> int:
    """Open the bet of every win that was decided and is not open yet. Return their number. One that fails stops no other."""
    opened = 0
    due = await hub.store.jackpots.due()
    for win in due:
        try:
            await _award(hub, win)
        except (NotTaken, Contended):
            continue
        except (AssertionError, Broken) as error:
            await _stopped(hub, win.pot_id, f"the win of round {win.number} of pot {win.name} is not owed", error=error)
        else:
            opened += 1
    return opened


async def _stopped(hub: Hub, pot_id: int, what: str, *, error: Exception) -> None:
    log.error("jackpot.stopped", pot=pot_id, problem=str(error), exc_info=error)
    await hub.store.incidents.raise_new(NOBODY, "jackpot_stopped", f"{what}: {error}"[:500])


async def _has_lease(hub: Hub) -> bool:
    return await hub.store.singleton_leases.take("jackpots", hub.process_settings.process, LEASE_S)


async def _gather_pot(hub: Hub, stored: StoredPot, upto: int) -> int:
    """Read on until the end, step by step. A step that lost its race ends the run: whoever won it goes on."""
    shares = 0
    found: StoredPot | None = stored
    while found is not None and found.pot.upto_id < upto:
        done = await _gather_step(hub, found, min(upto, found.pot.upto_id + STEP))
        if done is None or not await _has_lease(hub):
            break
        shares += len(done.contributions)
        found = await hub.store.jackpots.get(found.pot.pot_id)
    return shares


async def _gather_step(hub: Hub, stored: StoredPot, upto: int) -> Gathered | None:
    """Read one range of entries and commit what it means; None if the pot has changed meanwhile."""
    store, pot = hub.store.jackpots, stored.pot
    stakes = await store.stakes(pot.currency, pot.upto_id, upto)
    known = await store.known(pot.pot_id, [stake.bet_id for stake in stakes]) if stakes else {}
    secret = await store.secret_of(stored)
    done = jackpot.gather(pot, stakes, upto_id=upto, known=known, hit=jackpot.hit_amount(pot, secret))
    fresh = None
    if done.win is not None:
        fresh = Fresh(_secret(hub), secret, await hub.store.ids.take())
    if not await store.write(done, fresh):
        return None
    if done.win is not None:
        log.info("jackpot.won", pot=pot.pot_id, round=done.win.number, bet=done.win.bet_id, amount=done.win.amount)
    return done


async def _award(hub: Hub, win: DueWin) -> None:
    """Owe a win to the player of the winning bet, once: the betId of the win is unique per round."""
    bet = await hub.store.bets.by_id(win.won_by)
    assert bet is not None
    born = Bet(
        bet_id=win.win_id,
        casino_id=bet.casino_id,
        provider_id=bet.provider_id,
        player_id=bet.player_id,
        player_ref=bet.player_ref,
        bet_ref=win_ref(win.pot_id, win.number),
        round_ref=bet.round_ref,
        session_id=bet.session_id,
        game_id=bet.game_id,
        origin=Origin.JACKPOT,
        currency=bet.currency,
        stake=0,
        created_ms=hub.clock.now_ms(),
        win=win.amount,
        tag_id=bet.tag_id,
    )
    known = await _opened(hub, born)
    assert known.bet_id == win.win_id, f"round {win.number} of pot {win.pot_id} is paid by bet {known.bet_id}"
    await hub.store.jackpots.awarded(win)


async def _opened(hub: Hub, born: Bet) -> Bet:
    """Open the bet of a win, or return the one that is open. Two processes may insert the same BetId at the same moment."""
    try:
        return await commit_new_bet(hub, born, open_jackpot)
    except Broken:
        known = await hub.store.bets.by_ref(born.provider_id, born.bet_ref)
        if known is None:
            raise
        return known


# --- commands ------------------------------------------------------------------------------------------------


async def add_pot(hub: Hub, pot: Pot, author: str) -> StoredPot:
    """Open a pot. Stakes that are settled from now on feed it. Raises BadPot, PotNameTaken."""
    begin = await hub.store.jackpots.written_upto()
    done = jackpot.opened(replace(pot, upto_id=begin, fed_after=begin), author)
    await hub.store.jackpots.add(done, Fresh(_secret(hub)))
    return await _read(hub, pot.pot_id)


async def change_pot(hub: Hub, pot_id: int, rule: Callable[[Pot], Gathered]) -> StoredPot:
    """Apply a person's change to a pot. Raises BadPot, Contended."""
    for _ in range(TRIES):
        stored = await _read(hub, pot_id)
        done = rule(stored.pot)
        fresh = Fresh(_secret(hub), await hub.store.jackpots.secret_of(stored)) if done.new_round else None
        if await hub.store.jackpots.write(done, fresh):
            return await _read(hub, pot_id)
    raise Contended


async def _read(hub: Hub, pot_id: int) -> StoredPot:
    stored = await hub.store.jackpots.get(pot_id)
    if stored is None:
        raise BadPot(f"there is no pot {pot_id}")
    return stored


def _secret(hub: Hub) -> bytes:
    return bytes.fromhex(hub.chance.hex(SECRET_BYTES))

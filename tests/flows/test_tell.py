"""A Balance that comes with an outcome is the casino's last word, and nothing that goes wrong with it costs a payment."""

from __future__ import annotations

from typing import Any

import pytest

from croupier.core import requests
from croupier.core.bet import Bet, BetState
from croupier.core.pursuit import Verdict
from croupier.core.readings import Authorized, BalanceTold, Contents, PaymentKind, Yes
from croupier.flows.accept_payment import accept_payment
from croupier.flows.advance import terms_of
from croupier.flows.authorize import authorize
from croupier.flows.tell import ask_balance, heed
from croupier.store.db import DbDown
from tests.flows.desk import Desk

STAKE = PaymentKind.STAKE
TOLD = "123.45"


def yes(bet: Bet, balance: str | None = TOLD, **changes: Any) -> Yes:
    stated = {
        "kind": STAKE, "amount": "10.00", "tax": None, "partner_tx": f"t-{bet.bet_id}", "player_ref": bet.player_ref,
    }  # fmt: skip
    return Yes(Contents(subject_id=bet.bet_id, **{**stated, **changes}), balance)


async def accept(desk: Desk, bet: Bet, said: Yes, casino_id: int | None = None) -> Verdict:
    return await accept_payment(desk.hub, casino_id or bet.casino_id, bet.bet_id, STAKE, said)


async def known(desk: Desk) -> int | None:
    found = await desk.hub.store.balances.known(desk.cast.player.player_id)
    return None if found is None else found.amount


async def test_a_told_balance_has_this_payment_in_it_already(desk: Desk) -> None:
    bet = await desk.bet()
    desk.clock.ms += 40
    assert await accept(desk, bet, yes(bet)) is Verdict.OK
    assert await known(desk) == 12345


async def test_until_the_outcome_is_committed_the_balance_is_the_one_before_it(desk: Desk) -> None:
    bet = await desk.bet()
    await heed(desk.hub, bet, STAKE, said=yes(bet))
    assert await known(desk) == 13345
    await accept(desk, bet, yes(bet, None))
    assert await known(desk) == 12345


async def test_a_repeat_tells_nothing_new_and_later_payments_move_it(desk: Desk) -> None:
    first = await desk.bet()
    await accept(desk, first, yes(first))
    desk.clock.ms += 5
    second = await desk.bet(1002)
    await accept(desk, second, yes(second, None))
    assert await accept(desk, first, yes(first, "999.00")) is Verdict.OK
    assert await known(desk) == 11345


async def test_beside_an_open_payment_it_is_not_known_what_the_balance_holds(desk: Desk) -> None:
    first, second = await desk.bet(), await desk.bet(1002)
    await accept(desk, first, yes(first))
    assert await known(desk) is None
    desk.clock.ms += 5
    await accept(desk, second, yes(second))
    assert await known(desk) is None, "the first was decided after the second was asked"


async def test_of_a_taxed_win_the_balance_holds_what_reached_the_wallet(desk: Desk) -> None:
    """The casino withholds the tax: 25.00 less 2.50 is what its Balance has grown by (casino.md 2)."""
    await desk.hub.store.casinos.change(desk.cast.casino.casino_id, {"tax_bp": 1000})
    bet = await desk.bet()
    await accept(desk, bet, yes(bet, None))
    desk.clock.ms += 5
    bet = await desk.again(bet)
    won = requests.settle_by_person(bet, 2500, await terms_of(desk.hub, bet), "mia")
    assert await desk.hub.train.commit(won)
    said = yes(bet, kind=PaymentKind.PAYOUT, amount="25.00", tax="2.50", partner_tx="t-win")
    assert await accept_payment(desk.hub, bet.casino_id, bet.bet_id, PaymentKind.PAYOUT, said) is Verdict.OK
    assert await known(desk) == 12345


async def test_an_older_word_does_not_replace_a_newer_one(desk: Desk) -> None:
    bet = await desk.bet()
    await accept(desk, bet, yes(bet, None))
    desk.clock.ms += 5
    player_id = desk.cast.player.player_id
    await desk.hub.store.balances.base(player_id, 50_000, desk.clock.now_ms())
    await accept(desk, bet, yes(bet))
    assert await known(desk) == 50_000


@pytest.mark.parametrize("balance", [None, "1.005", "-1.00", "much"])
async def test_what_is_no_balance_is_none(desk: Desk, balance: str | None) -> None:
    bet = await desk.bet()
    assert await accept(desk, bet, yes(bet, balance)) is Verdict.OK
    assert await known(desk) is None


async def test_a_contradiction_and_a_strangers_word_are_not_believed(desk: Desk) -> None:
    bet = await desk.bet()
    assert await accept(desk, bet, yes(bet, amount="11.00")) is Verdict.CONFLICT
    assert await accept(desk, bet, yes(bet), casino_id=bet.casino_id + 1) is Verdict.CONFLICT
    assert await known(desk) is None


async def test_a_balance_that_cannot_be_kept_costs_the_payment_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object, **__: object) -> None:
        raise DbDown("gone")

    monkeypatch.setattr(type(desk.hub.store.balances), "base", gone)
    bet = await desk.bet()
    assert await accept(desk, bet, yes(bet)) is Verdict.OK
    assert (await desk.again(bet)).state is BetState.ON


async def test_a_balance_is_as_old_as_its_question(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stake that was accepted while the question was under way may be in the answer or not: it is no base."""
    bet = await desk.bet()
    casino = await desk.hub.store.casinos.get(desk.cast.casino.casino_id)
    assert casino is not None

    class Slow:
        """Counts what is in the wallet, and is heard of a second later."""

        async def balance(self, *_: object) -> BalanceTold:
            desk.clock.ms += 500
            await accept(desk, bet, yes(bet, None))
            desk.clock.ms += 500
            return BalanceTold("500.00")

        async def auth(self, *_: object) -> Authorized:
            told = await self.balance()
            player = desk.cast.player
            return Authorized("r", player.player_ref, player.currency, balance=told.balance)

    monkeypatch.setitem(desk.hub.casino_gateways, casino.protocol, Slow())
    assert await ask_balance(desk.hub, desk.cast.session) == 50000
    assert await known(desk) is None
    bet = await desk.bet(1002)
    await authorize(desk.hub, casino, "token")
    assert await known(desk) is None

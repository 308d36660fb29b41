"""store.demo, on a real database: virtual money obeys the rules of real bets, and no unit of it appears or is lost."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from croupier.core import bet_requests, demo_bets
from croupier.core.bet import OK, Bet, BetState, Origin
from croupier.core.bet_requests import RecordedAnswer, RequestContents
from croupier.core.commands import Answer
from croupier.core.counterparty import Casino, Provider
from croupier.core.demo_bets import DemoBet
from croupier.core.draft import Decision, Terms
from croupier.core.payment import Payment, PaymentState
from croupier.core.readings import PaymentKind
from croupier.core.refusals import Refusal
from croupier.core.session import Session
from croupier.core.waits import Waits
from croupier.store.db import Db
from croupier.store.demo import DemoMoney
from tests.store.cast import NOW_MS, Cast, HandClock, another_session, make_cast

pytestmark = pytest.mark.one_in(2)

START = 100_000
"""1000.00 EUR."""


@pytest.fixture
async def cast(db: Db) -> Cast:
    return await make_cast(db)


@pytest.fixture
async def other_db(database_url: str) -> AsyncIterator[Db]:
    """Another process's connections to the same database."""
    connected = await Db.connect(database_url, size=3)
    yield connected
    await connected.close()


def asked(
    session: Session, *, stake: int | None = None, win: int | None = None, round_ref: str = "r"
) -> RequestContents:
    return RequestContents(session.casino_id, session.player_id, round_ref, stake, win)


@dataclass
class Table:
    """The calls of one session, short."""

    money: DemoMoney
    session: Session

    async def pay_in(self, ref: str, stake: int, win: int | None = None, **more: str) -> Answer:
        return await self.money.pay_in(self.session, ref, asked(self.session, stake=stake, win=win, **more))

    async def pay_out(self, ref: str, win: int, **more: str) -> Answer:
        return await self.money.pay_out(self.session, ref, asked(self.session, win=win, **more))

    async def refund(self, ref: str) -> Answer:
        return await self.money.refund(self.session, ref)


@pytest.fixture
def table(db: Db, cast: Cast) -> Table:
    return Table(DemoMoney(db, HandClock()), cast.session)


def ok(balance: int) -> Answer:
    return Answer(None, balance, "EUR")


def no(refusal: Refusal, balance: int = START) -> Answer:
    return Answer(refusal, balance, "EUR")


async def test_a_session_begins_with_a_thousand_of_its_currency(db: Db, cast: Cast) -> None:
    money = DemoMoney(db, HandClock())
    assert await money.balance(cast.session) == START
    yen = replace(cast.session, session_id="s-y", currency="JPY")
    await db.execute("insert into sessions select 's-y', provider_id, casino_id, player_id, game_id, 'JPY', demo,"
                     " min_bet, max_bet, opened_ms, expires_ms from sessions")  # fmt: skip
    assert await money.balance(yen) == 1000
    assert await DemoMoney(db, HandClock(), start=5).balance(yen) == 1000  # begun already


async def test_win_loss_and_pay_in_out_move_what_they_say(table: Table) -> None:
    assert await table.pay_in("b1", 1000) == ok(START - 1000)
    assert await table.pay_out("b1", 2500) == ok(START + 1500)
    assert await table.pay_in("b2", 1000) == ok(START + 500)
    assert await table.pay_out("b2", 0) == ok(START + 500)
    assert await table.pay_in("b3", 100, 40) == ok(START + 440)
    assert await table.pay_in("b4", 0) == ok(START + 440)


async def test_repeats_are_answered_alike_and_move_nothing(table: Table) -> None:
    for _ in range(3):
        assert await table.pay_in("b", 1000) == ok(START - 1000)
    for _ in range(3):
        assert await table.pay_out("b", 300) == ok(START - 700)
    assert await table.pay_in("b", 1000) == ok(START - 700)
    for _ in range(3):
        assert await table.refund("b") == ok(START)
    for _ in range(3):
        assert await table.pay_in("io", 1000, 5) == ok(START - 995)


async def test_a_refusal_for_want_of_funds_is_recorded(table: Table) -> None:
    assert await table.pay_in("big", START + 1) == no(Refusal.NOT_ENOUGH_FUNDS)
    assert await table.pay_in("win", 0, 500) == ok(START + 500)
    assert await table.pay_in("big", START + 1) == no(Refusal.NOT_ENOUGH_FUNDS, START + 500)
    assert await table.pay_out("big", 5) == no(Refusal.CONFLICT, START + 500)
    assert await table.refund("big") == ok(START + 500)
    assert await table.pay_in("big", START + 1) == no(Refusal.CONFLICT, START + 500)


async def test_a_pay_in_out_that_is_refused_pays_nothing(table: Table) -> None:
    assert await table.pay_in("io", START + 1, 10**9) == no(Refusal.NOT_ENOUGH_FUNDS)
    assert await table.pay_in("io", START + 1, 10**9) == no(Refusal.NOT_ENOUGH_FUNDS)


async def test_all_of_a_balance_may_be_staked(table: Table) -> None:
    assert await table.pay_in("b", START) == ok(0)
    assert await table.pay_in("c", 1) == no(Refusal.NOT_ENOUGH_FUNDS, 0)


async def test_an_unknown_bet_is_not_paid_out_unless_the_game_has_jackpots(db: Db, table: Table) -> None:
    assert await table.pay_out("b", 5) == no(Refusal.BET_UNKNOWN)
    lucky = Table(table.money, replace(table.session, jackpot_wins=True))
    assert await lucky.pay_out("j", 500) == ok(START + 500)
    assert await lucky.pay_out("j", 500) == ok(START + 500)
    assert await table.pay_out("j", 500) == ok(START + 500)  # the flag is gone, the bet is known
    assert await table.pay_out("j", 501) == no(Refusal.CONFLICT, START + 500)
    assert await table.refund("j") == no(Refusal.CONFLICT, START + 500)
    assert await table.pay_in("j", 0) == no(Refusal.CONFLICT, START + 500)


async def test_a_refund_before_its_bet_keeps_the_bet_out(table: Table) -> None:
    assert await table.refund("b") == ok(START)
    assert await table.refund("b") == ok(START)
    assert await table.pay_in("b", 5) == no(Refusal.CONFLICT)
    assert await table.pay_out("b", 5) == no(Refusal.CONFLICT)


async def test_a_refund_takes_back_of_a_win_what_is_left(table: Table) -> None:
    await table.pay_in("b", 1000, START)
    await table.pay_in("c", 2 * START - 1000)
    assert await table.refund("b") == ok(0)
    assert await table.pay_in("b", 1000, START) == no(Refusal.CONFLICT, 0)


async def test_what_is_said_of_new_bets_is_never_said_of_known_ones(table: Table) -> None:
    session, money = table.session, table.money
    stake = asked(session, stake=10)
    assert await money.pay_in(session, "b", stake, refuse_new=Refusal.LIMIT) == no(Refusal.LIMIT)
    assert await money.pay_in(session, "b", stake) == ok(START - 10)  # the refusal was not recorded
    assert await money.pay_in(session, "b", stake, refuse_new=Refusal.SESSION_UNKNOWN) == ok(START - 10)


async def test_a_later_session_of_the_same_player_ends_the_bet_of_an_earlier_one(
    db: Db, cast: Cast, table: Table
) -> None:
    later = Table(table.money, await another_session(db, cast, "s-2"))
    await table.pay_in("b", 1000)
    assert await later.pay_in("b", 1000) == ok(START)  # a repeat; its own balance is told
    assert await later.pay_out("b", 1500) == ok(START)
    assert await table.money.balance(cast.session) == START + 500  # the money is where the stake came from
    await table.pay_in("c", 1000)
    assert await later.refund("c") == ok(START)
    assert await table.money.balance(cast.session) == START + 500


async def test_another_players_bet_is_a_conflict(db: Db, cast: Cast, table: Table) -> None:
    otto = Table(table.money, await another_session(db, cast, "s-2", player_ref="otto"))
    await table.pay_in("b", 1000)
    for answer in (await otto.pay_in("b", 1000), await otto.pay_out("b", 5), await otto.refund("b")):
        assert answer == no(Refusal.CONFLICT)
    assert await table.pay_out("b", 0) == ok(START - 1000)


async def test_two_providers_with_one_bet_id_do_not_meet(db: Db, cast: Cast, table: Table) -> None:
    await db.execute(
        "insert into providers (counterparty_id, name, protocol, url, secret, created_ms)"
        " values ('g', 'Drumlin', 'p', 'u', '', 0)"
    )
    second = await db.fetchval("select provider_id from providers where name = 'Drumlin'")
    await table.pay_in("b", 1000)
    elsewhere = Table(table.money, replace(cast.session, provider_id=second))
    assert await elsewhere.pay_in("b", 7) == ok(START - 1007)


async def test_demo_money_never_enters_the_ledger_nor_the_real_bets(db: Db, table: Table) -> None:
    await table.pay_in("b", 1000)
    await table.pay_out("b", 5)
    await table.refund("c")
    for name in ("ledger", "bets", "payments", "calls", "events", "balances"):
        assert await db.fetchval(f"select count(*) from {name}") == 0


async def test_wins_without_end_do_not_overflow(table: Table) -> None:
    for n in range(12):
        answer = await table.pay_in(f"b{n}", 0, 10**17)
    assert answer.balance == demo_bets.CEILING


# --- the same rules as real bets ---------------------------------------------------------------------------

TERMS = Terms(NOW_MS, Casino(1, "Rialto", "p", "u", ("EUR",)), Waits(), 0.5, Provider(1, "g", "Reelwright", "p", "u"))


def real_bet(bet: DemoBet) -> Bet:
    """The real bet that stands where this demo bet stands."""
    kinds = [PaymentKind.STAKE] if bet.win is None else [PaymentKind.STAKE, PaymentKind.PAYOUT]
    paid = {kind: Payment(1, kind, 1, None, 0, PaymentState.ACCEPTED) for kind in kinds}
    tombstone = bet.origin is Origin.TOMBSTONE
    return Bet(
        1, bet.casino_id, bet.provider_id, bet.player_id, "anna", bet.bet_ref, bet.round_ref, bet.session_id, 1,
        bet.origin, "EUR", bet.stake, 0,
        state=BetState.TOMBSTONE if tombstone else bet.state,
        win=bet.win,
        pay_in_answer=Refusal.NOT_ENOUGH_FUNDS.value if bet.state is BetState.REFUSED else OK,
        was_on=bet.state is not BetState.REFUSED,
        payments=paid,
    )  # fmt: skip


STANDING = [
    (Origin.PAY_IN, BetState.ON, 100, None),
    (Origin.PAY_IN, BetState.SETTLED, 100, 0),
    (Origin.PAY_IN, BetState.SETTLED, 100, 250),
    (Origin.PAY_IN, BetState.REFUSED, 100, None),
    (Origin.PAY_IN, BetState.RETURNED, 100, None),
    (Origin.PAY_IN, BetState.RETURNED, 100, 250),
    (Origin.PAY_IN_OUT, BetState.SETTLED, 100, 250),
    (Origin.PAY_IN_OUT, BetState.REFUSED, 100, 250),
    (Origin.PAY_IN_OUT, BetState.RETURNED, 100, 250),
    (Origin.JACKPOT, BetState.SETTLED, 0, 250),
    (Origin.TOMBSTONE, BetState.RETURNED, 0, None),
]
ASKED = [
    RequestContents(1, player, round_ref, stake, win)
    for player, round_ref, stake, win in itertools.product((1, 2), ("r", ""), (100, 99, 0), (None, 250, 0))
]
Verb = Literal["pay_in", "pay_out", "refund"]


@pytest.mark.parametrize("verb", ["pay_in", "pay_out", "refund"])
@pytest.mark.parametrize(("origin", "state", "stake", "win"), STANDING)
def test_a_demo_bet_answers_what_a_real_one_would(
    verb: Verb, origin: Origin, state: BetState, stake: int, win: int | None
) -> None:
    """Every request against every standing, beside the rules of core.requests."""
    round_ref = "" if origin is Origin.TOMBSTONE else "r"
    bet = DemoBet(1, "b", "s-1", 1, 1, round_ref, origin, stake, win, state)
    for ask in ASKED:
        if verb == "pay_out" and ask.win is None:
            continue
        ours, theirs = _both(verb, bet, ask)
        assert ours == theirs, ask


def _both(verb: Verb, bet: DemoBet, ask: RequestContents) -> tuple[Refusal | None, Refusal | None]:
    real = real_bet(bet)
    if verb == "pay_in":
        return demo_bets.pay_in(bet, ask).refusal, _said(
            bet_requests.pay_in(real, ask, TERMS, until_ms=0, waited=False)
        )
    if verb == "pay_out":
        return demo_bets.pay_out(bet, ask).refusal, _said(bet_requests.pay_out(real, ask, TERMS, waited=False))
    ruling = bet_requests.refund(real, TERMS, casino_id=ask.casino_id, player_id=ask.player_id)
    return demo_bets.refund(bet, ask.casino_id, ask.player_id).refusal, _said(ruling)


def _said(ruling: bet_requests.Ruling) -> Refusal | None:
    assert isinstance(ruling, RecordedAnswer | Decision)
    return ruling.refusal if isinstance(ruling, RecordedAnswer) else None


# --- many at once ------------------------------------------------------------------------------------------


async def test_one_bet_asked_for_many_times_at_once_in_two_processes_moves_once(
    db: Db, other_db: Db, cast: Cast
) -> None:
    tables = [Table(DemoMoney(where, HandClock()), cast.session) for where in (db, other_db)]
    for verb in (lambda t: t.pay_in("b", 100), lambda t: t.pay_out("b", 30), lambda t: t.refund("c")):
        answers = await asyncio.gather(*(verb(t) for t in tables * 4))
        assert {a.refusal for a in answers} == {None}
    assert await tables[0].money.balance(cast.session) == START - 70


async def test_a_balance_is_never_staked_twice_by_two_processes(db: Db, other_db: Db, cast: Cast) -> None:
    tables = [Table(DemoMoney(where, HandClock()), cast.session) for where in (db, other_db)]
    answers = await asyncio.gather(*(tables[n % 2].pay_in(f"b{n}", START // 3) for n in range(10)))
    assert sorted(a.refusal is None for a in answers) == [False] * 7 + [True] * 3
    assert await tables[0].money.balance(cast.session) == START - 3 * (START // 3)


async def test_a_payout_and_a_refund_at_once_leave_a_whole_outcome(db: Db, other_db: Db, cast: Cast) -> None:
    here, there = (Table(DemoMoney(where, HandClock()), cast.session) for where in (db, other_db))
    for n in range(20):
        await here.pay_in(f"b{n}", 100)
        paid, refunded = await asyncio.gather(here.pay_out(f"b{n}", 500), there.refund(f"b{n}"))
        assert refunded.refusal is None
        assert paid.refusal in (None, Refusal.CONFLICT)
        assert await here.money.balance(cast.session) == START


async def test_sessions_that_cross_do_not_block_each_other(db: Db, other_db: Db, cast: Cast) -> None:
    """Each of two sessions ends the bets that the other one made, at once."""
    second = await another_session(db, cast, "s-2")
    here, there = Table(DemoMoney(db, HandClock()), cast.session), Table(DemoMoney(other_db, HandClock()), second)
    for n in range(15):
        await here.pay_in(f"a{n}", 10)
        await there.pay_in(f"b{n}", 10)
    ends = [end for n in range(15) for end in (here.refund(f"b{n}"), there.refund(f"a{n}"))]
    assert {a.refusal for a in await asyncio.gather(*ends)} == {None}
    assert [await t.money.balance(t.session) for t in (here, there)] == [START, START]


# --- any sequence ------------------------------------------------------------------------------------------

steps = st.tuples(
    st.sampled_from(["pay_in", "pay_in_out", "pay_out", "refund"]),
    st.sampled_from("abc"),
    st.sampled_from([0, 10, 40_000, 70_000]),
    st.sampled_from([0, 10, 5_000]),
    st.sampled_from([0, 1]),
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(taken=st.lists(steps, max_size=14))
async def test_after_any_sequence_the_balances_are_what_the_bets_say(
    db: Db, cast: Cast, taken: list[tuple[str, str, int, int, int]]
) -> None:
    await db.execute("delete from demo_bets")
    await db.execute("delete from demo_balances")
    sessions = [cast.session, replace(cast.session, session_id="s-2")]
    await db.execute("delete from sessions where session_id = 's-2'")
    await another_session(db, cast, "s-2")
    tables = [Table(DemoMoney(db, HandClock()), session) for session in sessions]
    for verb, ref, stake, win, who in taken:
        call = {
            "pay_in": lambda t, ref=ref, stake=stake: t.pay_in(ref, stake),
            "pay_in_out": lambda t, ref=ref, stake=stake, win=win: t.pay_in(ref, stake, win),
            "pay_out": lambda t, ref=ref, win=win: t.pay_out(ref, win),
            "refund": lambda t, ref=ref: t.refund(ref),
        }[verb]
        first, again = await call(tables[who]), await call(tables[who])
        assert first == again
    rows = await db.fetch("select session_id, state, stake, coalesce(win, 0) as win from demo_bets")
    for table in tables:
        mine = [r for r in rows if r["session_id"] == table.session.session_id and r["state"] in ("on", "settled")]
        assert await table.money.balance(table.session) == START + sum(r["win"] - r["stake"] for r in mine)

"""The balance told to a provider: the casino's last word, moved by the payments accepted since (money.md 7.1)."""

from __future__ import annotations

import asyncio

import pytest

from croupier.store.db import Db
from croupier.store.money.balances import Balances

ASKED_MS = 1_000


@pytest.fixture
async def player(db: Db) -> int:
    """A player whose casino said 100.00 at ASKED_MS."""
    await db.execute(
        "insert into casinos (casino_id, name, protocol, url, currencies, secret, created_ms)"
        " values (11, 'Aurora', 'betcore_v2', 'http://casino.test', '{EUR}', '', 0)"
    )
    player_id = await db.fetchval(
        "insert into players (casino_id, player_ref, currency, created_ms) values (11, 'anna', 'EUR', 0)"
        " returning player_id"
    )
    await Balances(db).base(player_id, 10_000, ASKED_MS)
    return int(player_id)


async def paid(db: Db, player_id: int, kind: str, amount: int, *, tax: int | None = None, at_ms: int = 2_000) -> None:
    subject_id = await db.fetchval("select coalesce(max(subject_id), 0) + 1 from payments")
    await db.execute(
        "insert into payments (subject_id, kind, amount, tax, created_ms, state, decided_ms, player_id)"
        " values ($1, $2, $3, $4, $5, 'accepted', $5, $6)",
        subject_id,
        kind,
        amount,
        tax,
        at_ms,
        player_id,
    )


async def told(db: Db, player_id: int) -> int | None:
    known = await Balances(db).known(player_id)
    return None if known is None else known.amount


async def test_nobody_asked_is_not_known(db: Db) -> None:
    assert await told(db, 7) is None


@pytest.mark.parametrize(
    ("kind", "moved"),
    [
        ("stake", -300),
        ("payout", 300),
        ("bet_return", 300),
        ("payout_return", -300),
        ("jackpot", 300),
        ("cashback", 300),
        ("cashback_cancel", -300),
    ],
)
async def test_an_accepted_payment_moves_it_by_its_kind(db: Db, player: int, kind: str, moved: int) -> None:
    await paid(db, player, kind, 300)
    assert await told(db, player) == 10_000 + moved


async def test_less_than_nothing_is_unknown_until_the_win_behind_it_is_accepted(db: Db, player: int) -> None:
    """The casino took a stake out of a win whose acceptance it has not told yet."""
    await paid(db, player, "stake", 10_000)
    assert await told(db, player) == 0
    await paid(db, player, "stake", 1)
    assert await told(db, player) is None
    ahead = await Balances(db).known(player, bet_id=77, net=500)
    assert ahead is not None
    assert (ahead.amount, ahead.ahead) == (-1, 500)
    await paid(db, player, "payout", 500)
    assert await told(db, player) == 499


async def test_what_was_decided_before_the_question_is_in_the_answer_already(db: Db, player: int) -> None:
    await paid(db, player, "stake", 300, at_ms=ASKED_MS - 1)
    assert await told(db, player) == 10_000


async def test_a_payment_that_turns_up_late_makes_the_base_unknown_until_the_casino_is_asked_anew(
    db: Db, player: int
) -> None:
    """A stake had expired when the casino was asked: nobody can say whether its word held the stake."""
    await paid(db, player, "stake", 300, at_ms=ASKED_MS - 500)
    await db.execute("update payments set decided_ms = $1", ASKED_MS + 500)
    assert await told(db, player) is None
    await Balances(db).base(player, 9_700, ASKED_MS + 600)
    assert await told(db, player) == 9_700


async def test_tax_is_withheld_from_a_payout_and_from_its_taking_back(db: Db, player: int) -> None:
    await paid(db, player, "payout", 1_000, tax=150)
    assert await told(db, player) == 10_850
    await paid(db, player, "payout_return", 1_000, tax=150)
    assert await told(db, player) == 10_000


_BET = """
insert into bets (bet_id, casino_id, provider_id, player_id, player_ref, bet_ref, round_ref, session_id, game_id,
    origin, currency, stake, created_ms, state, version, was_on, closing)
values (5, 11, 1, $1, 'anna', 'b', 'r', 's-1', 1, 'pay_in', 'EUR', 100, 0, 'asked', 0, false, 'open')"""


async def test_all_repeats_of_one_instant_are_told_the_same(db: Db, player: int) -> None:
    """They are stored by one statement, and each may have come upon another balance (money.md 7.1)."""
    await db.execute(_BET, player)
    balances = Balances(db)
    amounts = range(9_900, 9_800, -10)
    kept = await asyncio.gather(*(balances.keep(5, "pay_in", amount) for amount in amounts))
    assert len(set(kept)) == 1
    assert kept[0] in amounts
    assert await balances.keep(5, "pay_in", 1) == kept[0]


# --- when a reported balance is a base (decision 0060) ----------------------------------------------------

HEARD_MS = ASKED_MS + 40


async def opened(db: Db, player_id: int, at_ms: int, decided_ms: int | None = None) -> None:
    await db.execute(
        "insert into payments (subject_id, kind, amount, created_ms, state, decided_ms, player_id)"
        " values (99, 'stake', 300, $1, case when $2::bigint is null then 'created' else 'accepted' end, $2, $3)",
        at_ms,
        decided_ms,
        player_id,
    )


@pytest.mark.parametrize(
    ("created_ms", "decided_ms", "taken"),
    [
        (ASKED_MS - 500, ASKED_MS - 1, True),
        (HEARD_MS + 1, None, True),
        (HEARD_MS + 1, HEARD_MS + 9, True),
        (ASKED_MS - 500, None, False),
        (ASKED_MS - 500, ASKED_MS, False),
        (ASKED_MS - 500, HEARD_MS - 1, False),
        (ASKED_MS + 1, None, False),
        (ASKED_MS + 1, HEARD_MS - 1, False),
        (HEARD_MS, None, False),
    ],
)
async def test_a_report_is_a_base_if_its_order_to_every_payment_is_known(
    db: Db, player: int, created_ms: int, decided_ms: int | None, *, taken: bool
) -> None:
    """A payment in the report must not be added to it again, and one that is not in it must be added once it is accepted."""
    await opened(db, player, created_ms, decided_ms)
    await Balances(db).base(player, 5_000, ASKED_MS, heard_ms=HEARD_MS)
    base = await db.fetchval("select amount from balances where player_id = $1", player)
    assert base == (5_000 if taken else 10_000)


async def test_a_payment_that_left_after_the_answer_moves_the_base_once_it_is_accepted(db: Db, player: int) -> None:
    await opened(db, player, HEARD_MS + 1)
    await Balances(db).base(player, 5_000, ASKED_MS, heard_ms=HEARD_MS)
    assert await told(db, player) == 5_000
    await db.execute("update payments set state = 'accepted', decided_ms = $1", HEARD_MS + 30)
    assert await told(db, player) == 4_700


async def test_reports_that_come_together_are_written_together_and_the_newest_of_a_player_stays(
    db: Db, player: int
) -> None:
    """One statement takes all reports; two of one player must neither fail it nor leave the older one."""
    other = await db.fetchval(
        "insert into players (casino_id, player_ref, currency, created_ms) values (11, 'ben', 'EUR', 0)"
        " returning player_id"
    )
    balances = Balances(db)
    await asyncio.gather(
        balances.base(player, 7_000, ASKED_MS + 20),
        balances.base(player, 6_000, ASKED_MS + 10),
        balances.base(other, 800, ASKED_MS + 5),
    )
    rows = await db.fetch("select player_id, amount, base_ms from balances order by 1")
    assert [tuple(row.values()) for row in rows] == [(player, 7_000, ASKED_MS + 20), (other, 800, ASKED_MS + 5)]

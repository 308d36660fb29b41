"""The drill: bets are played, the database goes back to a copy, and nothing is lost, doubled, or numbered twice.

Real PostgreSQL (a copied database), the real hub, a sandbox casino that remembers what the hub forgot; virtual time.
"""

from __future__ import annotations

import pytest

from croupier.core.bet import BetState
from croupier.core.cashback import Cashback
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.flows.cashback import CashbackRefused, pay_cashback
from croupier.flows.recovery import MOST_FURTHER, beat, begin, end, progress, refresh
from croupier.sandbox.bookings import BookKind, Demand, TransactionType
from croupier.store.oversight.recoveries import Recovery
from tests.flows.hall import Guest, Hall, in_a_hall

pytestmark = pytest.mark.one_in(2)

K = PaymentKind
SETTLE_S = 21


def recovery_of(hall: Hall) -> Recovery:
    found = hall.hub.state.recovery
    assert found is not None
    return found


async def worked(hall: Hall, looks: int = 3) -> None:
    """Let what was under way settle, then let the reconciler do its work."""
    await hall.wait(SETTLE_S)
    reconciler = hall.reconciler(recovery_per_s=200)
    for _ in range(looks):
        await reconciler.look()


OPEN = ("won later", "lost later", "refunded later", "still on")


async def before_the_backup(hall: Hall) -> None:
    """What the backup holds: bets that will have gone on, and some that will not."""
    await hall.settled("untouched")
    await hall.settled("undone", "5.00")
    for ref in OPEN:
        assert await hall.pay_in(ref) == "1"
    await hall.beat()


async def after_the_backup(hall: Hall) -> int:
    """What the backup does not hold; the number of the bet that was born then."""
    assert await hall.pay_out("won later", "25.00") == "1"
    assert await hall.pay_out("lost later", "0") == "1"
    assert await hall.refund("refunded later") == "1"
    assert await hall.refund("undone") == "1"
    assert await hall.pay_in("born later") == "1"
    await hall.wait(3)
    await hall.beat()
    return (await hall.bet("born later")).bet_id


async def recovery_holds(hall: Hall, used: int) -> None:
    """New bets wait, whatever the hub does not know is not denied, known bets go on."""
    recovery = recovery_of(hall)
    assert "beat" in recovery.why
    assert recovery.ids_next > used
    assert "restored" in await hall.incidents()
    assert await hall.pay_in("brand new") == "99 busy"
    assert await hall.pay_in("born later") == "99 busy", "a lost bet is a new one for the hub"
    assert await hall.pay_out("born later") == "99 busy"
    assert await hall.refund("born later") == "99 busy", "no tombstone for a bet whose stake the casino has"
    assert await hall.pay_in("still on") == "1"


async def all_is_as_it_was(hall: Hall) -> None:
    """Every bet of the backup stands where it stood before the database went back."""
    won, lost, back, on = [await hall.bet(ref) for ref in OPEN]
    states = [bet.state for bet in (won, lost, back, on)]
    assert states == [BetState.SETTLED, BetState.SETTLED, BetState.RETURNED, BetState.ON]
    assert (won.win, lost.win) == (2500, 0)
    assert (await hall.bet("undone")).state is BetState.RETURNED
    assert (await hall.bet("untouched")).state is BetState.SETTLED


async def a_person_settles_what_was_lost(hall: Hall, used: int) -> None:
    """The lost bet is found by its number, and by what its provider asked; until then recovery stays on."""
    findings = {f.subject_id: f for f in await hall.findings()}
    assert set(findings) == {0, used}
    assert {f.name for f in findings.values()} == {"unknown_bet"}
    state = await progress(hall.hub, recovery_of(hall))
    # What the provider alone says holds nobody: its casino was asked after every lost id.
    assert (state.to_compare, state.to_probe, state.standing, state.lost_bets) == (0, 0, 0, 1)
    assert not state.over
    for finding in findings.values():
        await hall.hub.store.findings.close([finding], "mia", "the casino gave the stake back")


async def business_goes_on(hall: Hall, used: int) -> None:
    """With ids that nobody ever had, repeats answered as ever, nothing booked twice, and books in order."""
    assert await hall.pay_in("after") == "1"
    assert (await hall.bet("after")).bet_id > used
    assert await hall.pay_out("still on", "3.00") == "1"
    assert await hall.pay_out("won later", "25.00") == "1", "a repeat gets its first answer"
    await hall.wait(31)
    for ref in (*OPEN, "after", "untouched", "undone"):
        kinds = [b.kind for b in hall.booked((await hall.bet(ref)).bet_id)]
        assert len(kinds) == len(set(kinds)), "nothing is booked twice"
    assert await hall.broken() == []
    assert "restored" not in await hall.incidents()


@pytest.mark.slow
def test_the_drill(database_url: str) -> None:
    """The whole of it, with every kind of bet: settled, open, refunded, lost and untouched, over the restore."""

    async def play(hall: Hall) -> None:
        await before_the_backup(hall)
        await hall.backup()
        used = await after_the_backup(hall)
        account = hall.casino.wallet.account("ann")
        assert account is not None
        wallet = account.balance
        await hall.restore()
        await recovery_holds(hall, used)
        await worked(hall)
        assert account.balance == wallet, "not a cent moved by recovery"
        await all_is_as_it_was(hall)
        await a_person_settles_what_was_lost(hall, used)
        await worked(hall, looks=1)
        assert hall.hub.state.recovery is None
        last = await hall.hub.store.recoveries.last()
        assert last is not None
        assert last.ended_by == "reconciliation"
        await business_goes_on(hall, used)

    in_a_hall(database_url, play)


def test_a_copy_on_a_machine_that_knows_nothing_tells_by_its_birthplace(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        await hall.beat()
        await hall.backup()
        await hall.restore(lost_home=True)
        assert "was made as" in recovery_of(hall).why
        assert await hall.pay_in("b-1") == "99 busy"

    in_a_hall(database_url, play)


@pytest.mark.slow
def test_a_hub_that_is_merely_killed_and_started_does_not_recover(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        await hall.beat()
        assert await hall.pay_in("b-1") == "1"
        await hall.stop()
        await hall.start()
        assert hall.hub.state.recovery is None
        assert await hall.pay_in("b-2") == "1"

    in_a_hall(database_url, play)


@pytest.mark.slow
def test_recovery_survives_a_restart_and_a_second_restore_of_the_same_backup_is_noticed_again(
    database_url: str,
) -> None:
    async def play(hall: Hall) -> None:
        await hall.beat()
        await hall.backup()
        await hall.beat()
        await hall.beat()
        await hall.restore()
        first = recovery_of(hall)
        await hall.stop()
        await hall.start()
        assert recovery_of(hall) == first, "it goes on where it was, and no second one begins"
        assert await end(hall.hub, first, by="mia", reason="a drill")
        assert await hall.pay_in("b-1") == "1"
        used = (await hall.bet("b-1")).bet_id
        await hall.beat()
        await hall.stop()
        await hall.start()
        assert hall.hub.state.recovery is None, "what was ended stays ended"
        hall.database.url = hall.database.url.replace("_backup_0?", "?")
        await hall.stop()
        await hall.start()
        second = recovery_of(hall)
        assert second.ids_next > used

    in_a_hall(database_url, play)


def test_a_database_that_goes_back_under_a_serving_hub_is_noticed_by_its_beat(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        last = await beat(hall.hub, hall.database.lifeline, None)
        last = await beat(hall.hub, hall.database.lifeline, last)
        assert hall.hub.state.recovery is None
        await hall.stage.db.execute("update installation set beat = beat - 2, beat_ms = beat_ms - 4000")
        last = await beat(hall.hub, hall.database.lifeline, last)
        assert "while this process served" in recovery_of(hall).why
        assert recovery_of(hall).since_ms == hall.stage.clock.now_ms() - 4000
        await end(hall.hub, recovery_of(hall), by="mia", reason="a drill")
        last = await beat(hall.hub, hall.database.lifeline, last)
        assert hall.hub.state.recovery is None, "and told once"

    in_a_hall(database_url, play)


@pytest.mark.slow
def test_a_claim_waits_while_recovery_is_on_because_the_provider_may_have_been_told(database_url: str) -> None:
    """In the backup the stake is unclaimed; after it a repeat claimed it. Given back, the provider's pay-out would fail."""

    async def play(hall: Hall) -> None:
        hall.casino.behave("late:7", kind=TransactionType.STAKE, times=1)
        assert await hall.pay_in("b-1") == "99"
        await hall.wait(2)
        assert (await hall.bet("b-1")).state is BetState.UNCLAIMED
        await hall.beat()
        await hall.backup()
        assert await hall.pay_in("b-1") == "1"
        await hall.wait(60)
        await hall.beat()
        await hall.restore()
        await worked(hall)
        bet = await hall.bet("b-1")
        assert bet.state is BetState.UNCLAIMED
        state = await progress(hall.hub, recovery_of(hall))
        assert (state.standing, state.over) == (1, False)
        assert await hall.pay_out("b-1", "25.00") == "1"
        await worked(hall, looks=1)
        assert (await hall.bet("b-1")).state is BetState.SETTLED
        assert hall.hub.state.recovery is None
        assert sorted(b.kind for b in hall.booked(bet.bet_id)) == [-1, 1]

    in_a_hall(database_url, play)


@pytest.mark.slow
def test_after_recovery_a_claims_time_runs_again(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        hall.casino.behave("late:7", kind=TransactionType.STAKE, times=1)
        await hall.pay_in("b-1")
        await hall.wait(2)
        await hall.beat()
        await hall.backup()
        await hall.beat()
        await hall.restore()
        await hall.wait(60)
        assert (await hall.bet("b-1")).state is BetState.UNCLAIMED
        await end(hall.hub, recovery_of(hall), by="mia", reason="the provider says it was told nothing")
        await hall.wait(40)
        assert (await hall.bet("b-1")).state is BetState.RETURNED
        assert await hall.broken() == []

    in_a_hall(database_url, play)


@pytest.mark.slow
def test_an_accept_of_a_lost_bet_is_kept_with_what_it_said(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        await hall.beat()
        await hall.backup()
        hall.casino.behave("late:8", kind=TransactionType.STAKE)
        assert await hall.pay_in("b-1") == "99"
        lost = (await hall.bet("b-1")).bet_id
        await hall.beat()
        await hall.restore()
        await hall.wait(5)
        (finding,) = await hall.findings()
        assert (finding.subject_id, finding.about, finding.name) == (lost, "stake", "unknown_bet")
        assert "10" in finding.words
        assert finding.evidence["casino"][0]["player"] == "ann"

    in_a_hall(database_url, play)


def test_lost_ids_are_asked_after_past_the_last_one_that_was_seen(database_url: str) -> None:
    """The mark is up to 2 s old: while somebody knows an id, those after it are asked after too."""

    async def play(hall: Hall) -> None:
        await hall.beat()
        await hall.backup()
        await hall.restore()
        recovery = recovery_of(hall)
        stake = hall.casino.wallet.book(_demand(recovery.ids_to - 1), partner_tx="sbx-1", now_ms=1)
        far = hall.casino.wallet.book(_demand(recovery.ids_to + 40), partner_tx="sbx-2", now_ms=1)
        assert stake
        assert far
        await worked(hall, looks=2)
        assert {f.subject_id for f in await hall.findings()} == {recovery.ids_to - 1, recovery.ids_to + 40}

    in_a_hall(database_url, play)


def _demand(bet_id: int) -> Demand:
    return Demand(BookKind.PAYMENTS, bet_id, TransactionType.STAKE, "ann", "10.00")


def test_a_casino_that_does_not_answer_keeps_recovery_on_and_loses_no_question(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        assert await hall.pay_in("b-1") == "1"
        await hall.beat()
        await hall.backup()
        assert await hall.pay_in("b-2") == "1"
        lost = (await hall.bet("b-2")).bet_id
        await hall.beat()
        await hall.restore()
        hall.casino.behave("status:500", path="payments/info", times=4)
        await hall.wait(SETTLE_S)
        reconciler = hall.reconciler(recovery_per_s=200)
        await reconciler.look()
        state = await progress(hall.hub, recovery_of(hall))
        assert state.to_compare == 1
        assert state.to_probe == recovery_of(hall).ids_to - recovery_of(hall).ids_from + 1, "no id is passed over"
        for _ in range(3):
            await reconciler.look()
        state = await progress(hall.hub, recovery_of(hall))
        assert (state.to_compare, state.to_probe, state.lost_bets) == (0, 0, 1)
        assert {f.subject_id for f in await hall.findings()} == {lost}

    in_a_hall(database_url, play)


def test_new_cashbacks_wait_and_known_ones_are_shown(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        def row(ref: str, number: int) -> Cashback:
            return Cashback(
                cashback_id=number, casino_id=1, player_id=1, player_ref="ann", currency="EUR", amount=500, ref=ref,
                created_ms=hall.stage.clock.now_ms(),
            )  # fmt: skip

        first = await pay_cashback(hall.hub, row("week 1", await hall.hub.store.ids.take()))
        assert await begin(hall.hub, "a drill", by="mia")
        assert (await pay_cashback(hall.hub, row("week 1", 5))).cashback_id == first.cashback_id
        with pytest.raises(CashbackRefused, match="recovery"):
            await pay_cashback(hall.hub, row("week 2", 6))

    in_a_hall(database_url, play)


def test_recovery_by_hand_begins_once_and_ends_with_a_name(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        begun = await begin(hall.hub, "restored by hand", by="mia")
        assert begun is not None
        assert await begin(hall.hub, "again", by="ben") is None
        assert await hall.pay_in("b-1") == "99 busy"
        assert await end(hall.hub, begun, by="mia", reason="compared by hand")
        assert not await end(hall.hub, begun, by="ben", reason="too late")
        assert await refresh(hall.hub) is None
        assert await hall.pay_in("b-1") == "1"
        bet = await hall.bet("b-1")
        assert bet.bet_id >= begun.ids_next
        assert bet.payments[K.STAKE].state is PaymentState.ACCEPTED

    in_a_hall(database_url, play)


# --- casino by casino -----------------------------------------------------------------------------------------


async def two_restored(hall: Hall) -> Guest:
    """A second casino, a bet at each, and a database that went back."""
    guest = await hall.guest()
    assert await hall.pay_in("a-1") == "1"
    assert await guest.pay_in("b-1") == "1"
    await hall.beat()
    await hall.backup()
    await hall.beat()
    await hall.restore()
    assert await hall.pay_in("a-2") == "99 busy"
    assert await guest.pay_in("b-2") == "99 busy"
    return guest


def test_a_casino_that_is_reconciled_takes_new_bets_while_another_is_silent(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        guest = await two_restored(hall)
        hall.casino.behave("status:500", path="payments/info")
        await worked(hall)
        assert recovery_of(hall).done_casinos == (guest.casino_id,)
        assert await guest.pay_in("b-2") == "1"
        assert await guest.pay_out("b-unknown") != "99 busy", "what it does not know is not known"
        assert await hall.pay_in("a-2") == "99 busy"
        hall.casino.dial.clear()
        await hall.wait(60)
        await worked(hall)
        assert hall.hub.state.recovery is None
        assert await hall.pay_in("a-2") == "1"
        assert await hall.broken() == []

    in_a_hall(database_url, play)


@pytest.mark.slow
def test_a_casino_that_knows_every_id_keeps_nobody_else_and_is_not_asked_for_ever(database_url: str) -> None:
    """Ids that nobody gave out, told by one peer: its own part waits for a person, and its questions have an end."""

    async def play(hall: Hall) -> None:
        guest = await two_restored(hall)
        guest.knows_every_id(hall.hub)
        await worked(hall, looks=3)
        assert await hall.pay_in("a-2") == "1"
        assert await guest.pay_in("b-2") == "99 busy"
        recovery = recovery_of(hall)
        assert recovery.done_casinos == (1,)
        reconciler = hall.reconciler(recovery_per_s=200)
        for _ in range(MOST_FURTHER):
            await reconciler.look()
        state = await progress(hall.hub, recovery_of(hall))
        assert (state.to_compare, state.to_probe) == (0, 0)
        assert state.lost_bets > 0
        assert {f.casino_id for f in await hall.hub.store.findings.open_ones(5000)} == {guest.casino_id}
        assert await end(hall.hub, recovery_of(hall), by="mia", reason="it lies")
        assert await guest.pay_in("b-2") == "1"

    in_a_hall(database_url, play)


def test_a_provider_that_makes_up_bets_keeps_no_casino(database_url: str) -> None:
    async def play(hall: Hall) -> None:
        await two_restored(hall)
        for n in range(5):
            assert await hall.pay_out(f"made-up-{n}") == "99 busy"
        await worked(hall)
        assert hall.hub.state.recovery is None
        assert len(await hall.findings()) == 5, "a person sees them all the same"

    in_a_hall(database_url, play)

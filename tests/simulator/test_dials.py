"""What each dial of a world does to the wire: to the casino's answers and accepts, to messages on their way, to statements."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from croupier.kit.chance import SeededChance
from croupier.kit.wire import PeerError, WireAnswer, WireRequest
from croupier.simulator.casino_accepts import INSISTS
from croupier.simulator.dials import CasinoCharacter, Dials, draw
from croupier.simulator.faults import Around, FaultyDb, FaultyWire, Weather
from croupier.simulator.hub_client import Access
from croupier.simulator.sim_casino import SimCasino
from croupier.simulator.virtual_time import VirtualClock, VirtualLoop
from croupier.store.db import DbDown

STAKE, PAYOUT, PAYOUT_RETURN, RETURN = -1, 1, -2, 2
CALM: dict[str, Any] = {
    "loss": 0.0, "duplicates": 0.0, "delay_s": 0.0, "lost_commits": 0.0, "slow_db_s": 0.0, "no_funds": 0.0, "not_yet": 0.0,
    "keeps": 0.0, "tax_bp": None, "bad_moments": 0.0, "purse": None, "funds_first": 0.0, "late_refuse": False,
    "told_balance": 0.0, "insists": 0.0, "info_down": 0.0, "short_takes": False, "answer_delay_s": 0.0, "deaf": 0.0,
}  # fmt: skip
"""A world in which nothing happens: each test turns one dial."""
Report = tuple[float, int, dict[str, Any]]
"""When the casino reported, the code, the Value."""


def dials_of(**turned: Any) -> Dials:
    return replace(draw(SeededChance("dials"), 50), **{**CALM, **turned})


def around(clock: VirtualClock, **turned: Any) -> Around:
    return Around(clock, SeededChance("a participant"), dials_of(**turned), Weather())


def in_virtual_time(scene: Callable[[VirtualClock], Awaitable[None]]) -> None:
    loop = VirtualLoop()
    loop.busy = lambda: False
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(_awaited(scene(VirtualClock(loop, 1_760_000_000_000))))


async def _awaited(scene: Awaitable[None]) -> None:
    await scene


# --- the casino


@dataclass
class HubEnd:
    """The hub's end of a casino's accepts: it keeps them, and answers as it is told."""

    clock: VirtualClock
    answer: Callable[[int, dict[str, Any]], int | None] = lambda _code, _value: 200
    heard: list[Report] = field(default_factory=list)

    async def report(self, code: int, value: dict[str, Any], *, cashback: bool, message: str = "sim") -> int | None:
        assert cashback is ("CashbackId" in value)
        self.heard.append((self.clock.monotonic_s(), code, value))
        return self.answer(code, value)


class Line:
    """A casino with a dial turned, and what the hub sees of it."""

    def __init__(self, clock: VirtualClock, character: CasinoCharacter, **turned: Any) -> None:
        self.clock = clock
        made = around(clock, **turned)
        wire: Any = None
        self.casino = SimCasino(
            access=Access("http://hub.test", 1, ""), wire=wire, around=made, character=character, log=lambda *_: None
        )
        self.seen = made.weather.seen
        self.hub = self.casino._hub = HubEnd(clock)  # type: ignore[assignment]

    async def make(self, kind: int = STAKE, bet: int = 7, amount: str = "1.00") -> Any:
        """The casino's answer to a make: its envelope, or the raw body where that is none."""
        data = {"BetId": bet, "TransactionType": kind, "PartnerUserId": "player0", "Amount": amount}
        return _said(await self.casino._make(data, self.clock.now_ms() // 1000, cashback=False))

    async def info(self, bet: int = 7) -> Any:
        return _said(await self.casino._answer("/payments/info", {"BetId": bet}, 0))

    async def booked(self, *, bet: int = 7) -> None:
        """The stake, booked in good weather: what comes after it is the dial's."""
        dials, self.casino.dials = self.casino.dials, dials_of()
        self.casino._receive(
            {"BetId": bet, "TransactionType": STAKE, "PartnerUserId": "player0", "Amount": "1.00"},
            self.clock.now_ms() // 1000, cashback=False, tell=False,
        )  # fmt: skip
        self.casino.dials = dials

    async def rest(self, seconds: float = 400.0) -> None:
        await self.clock.sleep(seconds)

    def codes(self) -> list[int]:
        return [code for _, code, _ in self.hub.heard]

    def numbers(self) -> set[str]:
        return {value["PartnerTransactionId"] for _, _, value in self.hub.heard}


def _said(response: Any) -> Any:
    try:
        return json.loads(response.body)
    except ValueError:
        return response.body


def on_a_line(character: CasinoCharacter, play: Callable[[Line], Awaitable[None]], **turned: Any) -> None:
    in_virtual_time(lambda clock: play(Line(clock, character, **turned)))


def test_twice_books_twice_accepts_both_and_lists_both() -> None:
    async def play(line: Line) -> None:
        assert (await line.make())["ErrorCode"] == 200
        await line.rest()
        assert line.casino.book.wallet("player0") == -200
        assert line.codes() == [200, 200]
        assert len(line.numbers()) == 2
        assert {one["PartnerTransactionId"] for one in (await line.info())["Value"]} == line.numbers()
        assert line.seen["listed_twice"] == 1

    on_a_line(CasinoCharacter.TWICE, play, bad_moments=1.0)


def test_a_lie_about_a_stake_is_a_return_that_the_casino_made_by_itself() -> None:
    async def play(line: Line) -> None:
        await line.make()
        await line.rest()
        assert line.hub.heard == [], "it says nothing of that stake by itself"
        assert {one["TransactionType"] for one in (await line.info())["Value"]} == {STAKE, RETURN}

    on_a_line(CasinoCharacter.LYING, play, bad_moments=1.0)


def test_a_lie_about_a_win_is_one_of_six() -> None:
    async def play(line: Line) -> None:
        for bet in range(1, 200):
            await line.booked(bet=bet)
            await line.make(PAYOUT, bet)
        await line.rest()
        first = {value["BetId"]: (code, value) for _, code, value in reversed(line.hub.heard)}
        truth = {
            value["BetId"]: value for _, code, value in line.hub.heard if code == 200 and value["Amount"] == "1.00"
        }
        lies = {
            "amount": any(value["Amount"] == "77" and code == 200 for code, value in first.values()),
            "exists": any(value["Amount"] == "66" and code == 103804 for code, value in first.values()),
            "user": any(value["PartnerUserId"] == "somebody" for _, value in first.values()),
            "refusal": any(code == 102823 for code, _ in first.values()),
            "tax": any(value.get("TaxAmount") == "55" for _, value in first.values()),
            "number": len({value["PartnerTransactionId"] for value in truth.values()}) < len(truth),
        }
        assert all(lies.values()), lies

    on_a_line(CasinoCharacter.LYING, play, bad_moments=0.5)


def test_a_contradiction_is_a_refusal_after_the_accept_and_comes_without_end() -> None:
    def answer(code: int, _value: dict[str, Any]) -> int:
        return 200 if code == 200 else 102823

    async def play(line: Line) -> None:
        line.hub.answer = answer
        line.casino.book.bookings.clear()
        await line.booked()
        line.casino._named.append((1, "another"))
        await line.casino._try((7, -1, False), line.casino.value_of((7, -1, False)))
        assert [code for code in line.codes() if code == 102823] == [102823] * (1 + INSISTS)
        assert line.casino.witness.contradicted == {(7, -1, False): "was refused after it was accepted"}

    on_a_line(CasinoCharacter.LYING, play, bad_moments=1.0, insists=1.0)


def test_forgotten_is_accepted_and_listed_no_more_and_booked_anew() -> None:
    async def play(line: Line) -> None:
        await line.make()
        await line.rest()
        assert line.codes() == [200]
        assert (await line.info())["Value"] == []
        assert line.casino.book.wallet("player0") == 0
        line.casino._weather.rough = False
        assert (await line.make())["ErrorCode"] == 200, "it does not know the repeat"
        assert line.casino.book.wallet("player0") == -100

    on_a_line(CasinoCharacter.FORGETFUL, play, bad_moments=1.0)


def test_silent_books_lists_and_never_accepts() -> None:
    async def play(line: Line) -> None:
        assert (await line.make())["ErrorCode"] == 200
        await line.rest()
        assert line.hub.heard == []
        assert len((await line.info())["Value"]) == 1

    on_a_line(CasinoCharacter.SILENT, play)


@pytest.mark.parametrize(
    ("character", "between_s"), [(CasinoCharacter.HONEST, (0.0, 0.3)), (CasinoCharacter.LATE, (31.0, 300.0))]
)
def test_a_late_accept_comes_after_half_a_minute(character: CasinoCharacter, between_s: tuple[float, float]) -> None:
    async def play(line: Line) -> None:
        for bet in range(20):
            await line.make(bet=bet)
        await line.rest()
        assert len(line.hub.heard) == 20
        assert all(between_s[0] <= at_s <= between_s[1] for at_s, _, _ in line.hub.heard)

    on_a_line(character, play)


@pytest.mark.parametrize("character", [CasinoCharacter.RUBBISH, CasinoCharacter.DRIP, CasinoCharacter.SLOW])
def test_an_answer_that_cannot_be_read_or_is_late_was_booked_all_the_same(character: CasinoCharacter) -> None:
    async def play(line: Line) -> None:
        took_s, answers = [], []
        for bet in range(20):
            began_s = line.clock.monotonic_s()
            answers.append(await line.make(bet=bet))
            took_s.append(line.clock.monotonic_s() - began_s)
        assert len(line.casino.book.bookings) == 20
        good = [answer == {"ErrorCode": 200, "Message": "sim"} for answer in answers]
        assert all(good) is (character is not CasinoCharacter.RUBBISH)
        assert any(good)
        if character is CasinoCharacter.DRIP:
            assert set(map(round, took_s)) == {0, 60}
        if character is CasinoCharacter.SLOW:
            assert 3 <= min(took_s) <= max(took_s) <= 9
        assert line.seen[character.value] > 0

    on_a_line(character, play)


def test_queued_is_acknowledged_at_once_and_booked_after_half_a_minute() -> None:
    async def play(line: Line) -> None:
        for bet in range(30):
            assert (await line.make(bet=bet))["ErrorCode"] == 200
        soon = len(line.casino.book.bookings)
        assert 0 < soon < 20
        await line.rest(31)
        assert len(line.casino.book.bookings) == soon
        await line.rest()
        assert len(line.casino.book.bookings) == 30
        assert line.seen["queued"] == 30 - soon
        assert sorted(value["BetId"] for _, _, value in line.hub.heard) == list(range(30))

    on_a_line(CasinoCharacter.QUEUED, play)


def test_queued_is_at_times_booked_just_before_a_return_that_comes_meanwhile() -> None:
    async def play(line: Line) -> None:
        waiting = [bet for bet in range(60) if await line.make(bet=bet) and not line.casino.book.of(bet)]
        answers = [(bet, (await line.make(RETURN, bet))["ErrorCode"]) for bet in waiting]
        early = {bet for bet, _ in answers if line.casino.book.of(bet)}
        assert 0 < len(early) < len(waiting)
        assert all(line.casino.book.net(bet) == 0 for bet in early), "the stake and then its return"
        await line.rest()
        refused = {value["BetId"] for _, code, value in line.hub.heard if code == 103805}
        assert refused == set(waiting) - early, "it does not know the bets whose stakes still wait"
        assert line.seen["queued"] == len(waiting), "each is booked once"

    on_a_line(CasinoCharacter.QUEUED, play)


def test_a_list_comes_in_either_order() -> None:
    async def play(line: Line) -> None:
        await line.booked()
        await line.make(PAYOUT)
        lists = [[one["TransactionType"] for one in (await line.info())["Value"]] for _ in range(20)]
        assert [STAKE, PAYOUT] in lists
        assert [PAYOUT, STAKE] in lists

    on_a_line(CasinoCharacter.HONEST, play)


@pytest.mark.parametrize(("share", "fails"), [(0.0, False), (1.0, True)])
def test_info_down_is_an_error_for_an_answer(share: float, *, fails: bool) -> None:
    async def play(line: Line) -> None:
        await line.booked()
        assert (await line.info() == b"") is fails
        line.casino._weather.rough = False
        assert len((await line.info())["Value"]) == 1

    on_a_line(CasinoCharacter.QUEUED, play, info_down=share)


@pytest.mark.parametrize("character", [CasinoCharacter.HONEST, CasinoCharacter.INLINE])
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_told_balance_is_the_wallet_in_every_yes(character: CasinoCharacter, share: float) -> None:
    async def play(line: Line) -> None:
        answer = await line.make(amount="1.50")
        await line.rest()
        yes = answer["Value"] if character is CasinoCharacter.INLINE else line.hub.heard[0][2]
        assert yes.get("Balance") == ("58.50" if share else None)
        told = line.casino.witness.balances("player0", 0, 1)
        assert told == ({5850} if share else set()), "the witness knows what was told"

    on_a_line(character, play, told_balance=share, purse=6_000)


@pytest.mark.parametrize(("share", "times"), [(0.0, 1), (1.0, 1 + INSISTS)])
def test_resent_is_the_same_not_yet_after_it_was_taken(share: float, times: int) -> None:
    async def play(line: Line) -> None:
        await line.booked()
        await line.make(PAYOUT)
        await line.rest()
        assert line.codes() == [102823] * times
        assert len({json.dumps(value, sort_keys=True) for _, _, value in line.hub.heard}) == 1

    on_a_line(CasinoCharacter.HONEST, play, not_yet=1.0, insists=share)


@pytest.mark.parametrize(("character", "odd"), [(CasinoCharacter.FORGETFUL, True), (CasinoCharacter.HONEST, False)])
def test_own_return_is_reported_after_an_accept_by_casinos_whose_books_need_not_agree(
    character: CasinoCharacter, *, odd: bool
) -> None:
    async def play(line: Line) -> None:
        line.hub.answer = lambda _code, value: 200 if value["TransactionType"] == STAKE else 102823
        for bet in range(100):
            await line.make(bet=bet)
        await line.rest()
        own = [value for _, code, value in line.hub.heard if value["TransactionType"] == RETURN and code == 200]
        assert bool(own) is odd
        assert all(value["PartnerTransactionId"].endswith("-own") for value in own)
        assert line.seen["own_return"] == len(own)
        assert line.casino.witness.complaints == []

    on_a_line(character, play)


def test_a_foreign_accept_names_a_payment_of_another_casino() -> None:
    async def play(line: Line) -> None:
        other = Line(line.clock, CasinoCharacter.HONEST)
        await other.booked(bet=99)
        line.casino.neighbours = lambda: (line.casino, other.casino)
        line.hub.answer = lambda _code, value: 102823 if value["BetId"] == 99 else 200
        for bet in range(50):
            await line.make(bet=bet)
        await line.rest()
        foreign = [code for _, code, value in line.hub.heard if value["BetId"] == 99]
        assert set(foreign) == {200, 102823}, "a yes and a no, with its true contents"
        assert len(foreign) == 2 * line.seen["foreign_accept"]

    on_a_line(CasinoCharacter.HONEST, play)


@pytest.mark.parametrize(("share", "code"), [(0.0, 103804), (1.0, 103802)])
def test_funds_first_refuses_the_repeat_of_the_stake_that_emptied_the_wallet(share: float, code: int) -> None:
    async def play(line: Line) -> None:
        assert (await line.make())["ErrorCode"] == 200
        assert (await line.make())["ErrorCode"] == code
        assert line.casino.book.wallet("player0") == -100, "it is booked, once"

    on_a_line(CasinoCharacter.INLINE, play, purse=100, funds_first=share)


def test_a_purse_that_is_too_small_and_no_funds_refuse_a_stake_for_good() -> None:
    async def play(line: Line) -> None:
        assert [(await line.make())["ErrorCode"] for _ in range(3)] == [103802] * 3
        assert line.casino.book.bookings == {}

    on_a_line(CasinoCharacter.INLINE, play, purse=99)
    on_a_line(CasinoCharacter.INLINE, play, no_funds=1.0)


def test_not_yet_refuses_what_is_owed_until_the_weather_clears() -> None:
    async def play(line: Line) -> None:
        await line.booked()
        assert (await line.make(PAYOUT))["ErrorCode"] == 102823
        line.casino._weather.rough = False
        assert (await line.make(PAYOUT))["ErrorCode"] == 200

    on_a_line(CasinoCharacter.INLINE, play, not_yet=1.0)


def test_keeps_refuses_to_give_a_payout_back_for_good() -> None:
    async def play(line: Line) -> None:
        await line.booked()
        await line.make(PAYOUT)
        line.casino._weather.rough = False
        assert [(await line.make(PAYOUT_RETURN))["ErrorCode"] for _ in range(2)] == [103802] * 2

    on_a_line(CasinoCharacter.INLINE, play, keeps=1.0)


def test_mute_books_answers_with_an_error_and_accepts_nothing_and_lists_it() -> None:
    async def play(line: Line) -> None:
        assert await line.make() == b"bad gateway"
        await line.rest()
        assert line.codes() == []
        assert [one["TransactionType"] for one in (await line.info())["Value"]] == [STAKE]
        line.casino._weather.rough = False
        assert (await line.make())["ErrorCode"] == 103804

    on_a_line(CasinoCharacter.MUTE, play)


@pytest.mark.parametrize(("short", "codes"), [(False, [200, 200]), (True, [200, 103802])])
def test_short_takes_refuses_the_repeat_of_what_was_given_back(short: bool, codes: list[int]) -> None:
    """Its first try went through and was not heard; the repeat is refused at once, and what was booked stays booked."""

    async def play(line: Line) -> None:
        await line.booked()
        await line.make(PAYOUT)
        line.casino.character = CasinoCharacter.SILENT
        line.casino._judge = lambda *_: 200  # type: ignore[method-assign] # the first try is not refused for now
        said = [(await line.make(PAYOUT_RETURN))["ErrorCode"] for _ in range(2)]
        assert [200 if code == 103804 else code for code in said] == codes
        assert line.casino.book.wallet("player0") == -100

    on_a_line(CasinoCharacter.INLINE, play, short_takes=short, funds_first=1.0, purse=1_000)


def test_short_takes_refuses_to_give_back_what_a_small_wallet_does_not_hold_for_now() -> None:
    async def play(line: Line) -> None:
        await line.booked()
        await line.make(PAYOUT, amount="3.00")
        await line.make(bet=8, amount="5.00")
        assert (await line.make(PAYOUT_RETURN, amount="3.00"))["ErrorCode"] == 103802
        line.casino._weather.rough = False
        await line.make(PAYOUT, bet=8, amount="5.00")
        assert (await line.make(PAYOUT_RETURN, amount="3.00"))["ErrorCode"] == 200

    on_a_line(CasinoCharacter.INLINE, play, short_takes=True, purse=400)


@pytest.mark.parametrize("undoes", [False, True])
def test_late_refuse_undoes_a_stake_that_the_hub_rejects(undoes: bool) -> None:
    async def play(line: Line) -> None:
        line.hub.answer = lambda _code, _value: 102823
        await line.make()
        await line.rest()
        assert line.casino.book.wallet("player0") == (0 if undoes else -100)

    on_a_line(CasinoCharacter.HONEST, play, late_refuse=undoes)


def test_uneven_answers_a_stake_at_once_and_reports_a_win_after_half_a_minute() -> None:
    async def play(line: Line) -> None:
        for bet in range(20):
            stake, win = await line.make(bet=bet), await line.make(PAYOUT, bet)
            assert (stake["ErrorCode"], stake["Value"]["BetId"]) == (200, bet)
            assert win == {"ErrorCode": 200, "Message": "sim"}
        await line.rest()
        assert {value["TransactionType"] for _, _, value in line.hub.heard} == {PAYOUT}
        assert len(line.hub.heard) == 20
        assert all(31 <= at_s <= 300 for at_s, _, _ in line.hub.heard)
        assert line.seen["late_accept"] == 20

    on_a_line(CasinoCharacter.UNEVEN, play)


@pytest.mark.parametrize(("share", "amounts"), [(0.0, ["1.00"]), (1.0, ["1.00", "88"])])
def test_a_stray_line_stands_in_the_list_beside_the_true_one_and_moves_no_money(
    share: float, amounts: list[str]
) -> None:
    async def play(line: Line) -> None:
        await line.make()
        shown = (await line.info())["Value"]
        assert sorted(one["Amount"] for one in shown) == amounts
        assert len({one["PartnerTransactionId"] for one in shown}) == len(amounts)
        assert {(one["BetId"], one["TransactionType"]) for one in shown} == {(7, STAKE)}
        assert line.casino.book.wallet("player0") == -100
        assert line.casino.book.lists_twice((7, STAKE, False)) is (share > 0)
        assert line.seen["listed_twice"] == len(amounts) - 1
        await line.rest()
        assert line.codes() == [200], "only the true one is accepted"

    on_a_line(CasinoCharacter.HONEST, play, stray_lines=share)


@pytest.mark.parametrize(
    ("state", "known", "says"),
    [
        ("accepted", (1, STAKE), {}),
        ("created", (1, STAKE), {"BetId": 1, "TransactionType": STAKE}),
        ("sent", (1, STAKE), {"BetId": 1, "TransactionType": STAKE}),
        ("accepted", (7, STAKE), {}),
    ],
)
def test_a_stale_answer_says_an_id_that_the_hub_knows_or_whose_yes_it_is_and_nothing_is_booked(
    state: str, known: tuple[int, int], says: dict[str, int]
) -> None:
    async def play(line: Line) -> None:
        await line.booked(bet=known[0])
        line.casino._weather.matrix.moved(known[0], "stake", state)
        tx = line.casino.book.bookings[*known, False].tx
        answer = await line.make(PAYOUT, 7)
        assert (answer["ErrorCode"], answer["Value"]) == (200, {"PartnerTransactionId": tx, **says})
        assert set(line.casino.book.bookings) == {(*known, False)}
        assert line.casino.witness.makes == {(*known, False): 1}, "the casino has not heard of it"
        assert line.seen["stale_answer"] == 1
        line.casino._weather.rough = False
        assert "BetId" in (await line.make(bet=8))["Value"]
        assert (8, STAKE, False) in line.casino.book.bookings

    on_a_line(CasinoCharacter.INLINE, play, stale_answers=1.0)


@pytest.mark.parametrize(
    ("state", "bet"),
    [
        ("refused", 1),  # its yes would be a contradiction
        ("parked", 1),
        ("sent", 7),  # it would be taken for the yes that this bet waits for
        (None, 1),
    ],
)
def test_no_answer_is_stale_that_could_say_more_than_it_may(state: str | None, bet: int) -> None:
    async def play(line: Line) -> None:
        for known in (1, 7):
            await line.booked(bet=known)
        if state is not None:
            line.casino._weather.matrix.moved(bet, "stake", state)
        assert (await line.make(RETURN, 7))["Value"]["TransactionType"] == RETURN
        assert (7, RETURN, False) in line.casino.book.bookings
        assert line.seen["stale_answer"] == 0

    on_a_line(CasinoCharacter.INLINE, play, stale_answers=1.0)


@pytest.mark.parametrize(
    ("character", "stale"),
    [(CasinoCharacter.INLINE, True), (CasinoCharacter.UNEVEN, True), (CasinoCharacter.HONEST, False)],
)
def test_only_casinos_that_answer_at_once_answer_from_memory(character: CasinoCharacter, *, stale: bool) -> None:
    async def play(line: Line) -> None:
        await line.booked(bet=1)
        line.casino._weather.matrix.moved(1, "stake", "accepted")
        assert ((await line.make()).get("Value") == {"PartnerTransactionId": "tx--1-0"}) is stale

    on_a_line(character, play, stale_answers=1.0)


@pytest.mark.parametrize(("second", "complains"), [(200, 1), (102823, 0), (None, 0)])
def test_twin_ids_are_a_complaint_only_if_both_payments_are_taken(second: int | None, complains: int) -> None:
    async def play(line: Line) -> None:
        for bet in (7, 8):
            await line.booked(bet=bet)
        line.hub.answer = lambda _code, value: 200 if value["BetId"] == 7 else second
        key = (7, STAKE, False)
        await line.casino._report_twins(key, line.casino.value_of(key))
        assert [value["BetId"] for _, _, value in line.hub.heard] == [7, 8]
        assert (len(line.numbers()), line.codes()) == (1, [200, 200])
        complaints = line.casino.witness.complaints
        assert [(one.invariant, one.subject_id) for one in complaints] == [("I5", 7)] * complains

    on_a_line(CasinoCharacter.LYING, play, bad_moments=1.0)


@pytest.mark.parametrize("silent", ["spoken", "given back", "calm", "alone"])
def test_no_twin_is_sent_of_a_payment_that_the_hub_has_heard_of_or_must_not(silent: str) -> None:
    async def play(line: Line) -> None:
        for bet in (7,) if silent == "alone" else (7, 8):
            await line.booked(bet=bet)
        if silent == "spoken":
            line.casino.witness.spoke((8, STAKE, False))
        if silent == "given back":
            line.casino.book.given_back.add(8)
        line.casino._weather.rough = silent != "calm"
        key = (7, STAKE, False)
        await line.casino._report_twins(key, line.casino.value_of(key))
        assert line.hub.heard == []

    on_a_line(CasinoCharacter.LYING, play, bad_moments=1.0)


def test_silent_tells_some_refusals_of_repeats_by_accept_and_the_others_at_once() -> None:
    async def play(line: Line) -> None:
        line.casino._judge = lambda *_: 200  # type: ignore[method-assign] # the first try is not refused for now
        told = []
        for bet in range(40):
            for kind in (STAKE, PAYOUT, PAYOUT_RETURN):
                await line.make(kind, bet)
            told.append((await line.make(PAYOUT_RETURN, bet))["ErrorCode"])
        await line.rest()
        assert set(told) == {200, 103802}
        reported = sorted(value["BetId"] for _, _, value in line.hub.heard)
        assert reported == [bet for bet in range(40) if told[bet] == 200]
        assert set(line.codes()) == {103802}
        assert all(value.keys() == {"BetId", "TransactionType"} for _, _, value in line.hub.heard)
        refused = line.casino.witness.refused
        assert [refused[bet, PAYOUT_RETURN, False] for bet in range(40)] == [1] * 40, "each was told once"

    on_a_line(CasinoCharacter.SILENT, play, short_takes=True, funds_first=1.0, purse=1_000_000)


@pytest.mark.parametrize(
    ("character", "answer", "times"),
    [
        (CasinoCharacter.HONEST, 200, 3),
        (CasinoCharacter.HONEST, 102823, 21),  # each is resent six times
        (CasinoCharacter.INLINE, 200, 3),
    ],
)
def test_refusals_are_counted_as_they_are_told(character: CasinoCharacter, answer: int, times: int) -> None:
    async def play(line: Line) -> None:
        line.hub.answer = lambda _code, _value: answer
        await line.booked()
        for _ in range(3):
            await line.make(PAYOUT)
        refused = line.casino.witness.refused
        assert refused[7, PAYOUT, False] == (3 if character is CasinoCharacter.INLINE else 0), "nothing was told yet"
        await line.rest()
        assert refused[7, PAYOUT, False] == times
        line.casino._weather.rough = False
        await line.make(PAYOUT)
        await line.rest()
        assert refused == {(7, PAYOUT, False): times}, "a yes is no refusal"

    on_a_line(character, play, not_yet=1.0)


# --- messages on their way


class Peer:
    """Answers at once, and knows when it was asked."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.asked_s: list[float] = []

    async def send(self, _request: WireRequest) -> WireAnswer:
        self.asked_s.append(self._clock.monotonic_s())
        return WireAnswer(200, {}, b"")


@dataclass
class Sent:
    """Two hundred messages: how many were answered, when the peer was asked, and the faults."""

    answered: int
    asked_s: list[float]
    seen: dict[str, int]


def sent(rough: bool = True, cut_s: float = 0.0, **turned: Any) -> Sent:
    told: list[Sent] = []

    async def scene(clock: VirtualClock) -> None:
        peer, made = Peer(clock), around(clock, **turned)
        made.weather.rough, made.weather.cut_until_s = rough, cut_s
        wire, answered = FaultyWire(peer, made), 0
        for _ in range(200):
            try:
                await wire.send(WireRequest("POST", "http://peer.test/", total_s=10.0))
            except PeerError:
                continue
            answered += 1
        await clock.sleep(100)
        told.append(Sent(answered, peer.asked_s, dict(made.weather.seen)))

    in_virtual_time(scene)
    return told[0]


def test_loss_drops_requests_and_answers() -> None:
    lost = sent(loss=0.5)
    assert lost.seen["loss_of_request"] == 200 - len(lost.asked_s) > 0
    assert lost.seen["loss_of_answer"] == len(lost.asked_s) - lost.answered > 0


def test_duplicates_arrive_twice_within_five_seconds() -> None:
    twice = sent(duplicates=1.0)
    assert (twice.answered, len(twice.asked_s)) == (200, 400)
    assert max(twice.asked_s) <= 5


def test_a_cut_lets_nothing_through_until_it_ends() -> None:
    cut = sent(cut_s=60.0)
    assert min(cut.asked_s) >= 60
    assert cut.seen["cut"] == 200 - cut.answered > 0


def test_delays_change_the_order_of_arrival() -> None:
    late = sent(delay_s=3.0, delayed=1.0)
    assert late.answered == 200
    assert max(late.asked_s) - min(late.asked_s) > 1
    assert late.seen["delay"] > 0


def test_in_good_weather_every_message_arrives_once() -> None:
    calm = sent(rough=False, loss=1.0, duplicates=1.0, delay_s=40.0, delayed=1.0, cut_s=60.0)
    assert (calm.answered, calm.asked_s) == (200, [0.0] * 200)


def test_an_answer_that_is_late_says_what_was_true_when_it_was_written() -> None:
    told: list[tuple[float, float]] = []

    async def scene(clock: VirtualClock) -> None:
        peer = Peer(clock)
        wire = FaultyWire(peer, around(clock, answer_delay_s=3.0, delayed=1.0))
        for _ in range(50):
            await wire.send(WireRequest("POST", "http://peer.test/", total_s=10.0))
            told.append((peer.asked_s[-1], clock.monotonic_s()))

    in_virtual_time(scene)
    assert all(0 <= heard_s - asked_s <= 3 for asked_s, heard_s in told)
    assert max(heard_s - asked_s for asked_s, heard_s in told) > 2


# --- statements


class Database:
    """Takes effect at once, and knows how often."""

    def __init__(self) -> None:
        self.commits = 0

    async def commit_group(self, _sql: str, *_args: Sequence[Any]) -> list[Any]:
        self.commits += 1
        return [{"n": 0}]

    async def fetchval(self, _sql: str, *_args: object) -> int:
        return 1

    async def fetch(self, _sql: str, *_args: object) -> list[int]:
        return [1]


def test_lost_commits_break_the_connection_before_or_after_they_took_effect() -> None:
    async def scene(clock: VirtualClock) -> None:
        landed: list[set[int]] = []
        made, inner = around(clock, lost_commits=1.0), Database()
        db = FaultyDb(inner, made, landed=lambda _sql, _args, written: landed.append(written))  # type: ignore[arg-type]
        down = 0
        for _ in range(300):
            try:
                await db.commit_group("")
            except DbDown:
                down += 1
        assert down == made.weather.seen["commit_never_arrived"] + made.weather.seen["commit_answer_lost"]
        assert inner.commits == len(landed) == 300 - made.weather.seen["commit_never_arrived"]
        assert min(made.weather.seen["commit_never_arrived"], made.weather.seen["commit_answer_lost"]) > 0
        assert down < 300

    in_virtual_time(scene)


@pytest.mark.parametrize("deaf", [0.0, 1.0])
def test_deaf_is_who_cannot_look_whether_a_lost_commit_was_written(deaf: float) -> None:
    async def scene(clock: VirtualClock) -> None:
        db = FaultyDb(Database(), around(clock, lost_commits=1.0, deaf=deaf))  # type: ignore[arg-type]
        unheard = 0
        for _ in range(50):
            with contextlib.suppress(DbDown):
                await db.commit_group("")
                continue
            try:
                await db.fetch("select 1")
            except DbDown:
                unheard += 1
        assert (unheard > 0) is (deaf > 0)
        assert await db.fetch("select 1") == [1], "once for each"

    in_virtual_time(scene)


@pytest.mark.parametrize("slow_s", [0.0, 0.2])
def test_a_slow_database_delays_one_statement_of_ten(slow_s: float) -> None:
    async def scene(clock: VirtualClock) -> None:
        made = around(clock, slow_db_s=slow_s)
        db = FaultyDb(Database(), made)  # type: ignore[arg-type]
        await clock.sleep(1)
        took_s = []
        for _ in range(300):
            began_s = clock.monotonic_s()
            assert await db.fetchval("select 1") == 1
            took_s.append(clock.monotonic_s() - began_s)
        slow = [one for one in took_s if one]
        assert len(slow) == made.weather.seen["slow_database"] == (pytest.approx(30, abs=20) if slow_s else 0)
        assert max(took_s) <= slow_s

    in_virtual_time(scene)

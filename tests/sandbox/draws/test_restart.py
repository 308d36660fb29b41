"""A studio that ends in the middle of a draw and starts again finishes it, or cancels and refunds it; it forgets no bet."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterable
from pathlib import Path

import pytest

from croupier.sandbox.draws.draw_journal import DrawJournal, FilePages, FolderInUse, JournalBroken, lock
from croupier.sandbox.draws.records import MOVES, NEXT, DrawBet, DrawBetState, Phase, StudioDraw
from croupier.sandbox.draws.table import BetRejected
from tests.sandbox.draws.hub_of_draws import UNKNOWN, Scene, Told, virtual

WHEEL, CRASH = 24, 25
DRAW = StudioDraw(WHEEL, 7, "ab" * 32, Phase.AWAITING, 1, 1000, 2000)
BET = DrawBet("d-1", WHEEL, 7, "s-1", "EUR", 1000, "grey")


# --- what becomes of the draw in the middle ---------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["betting", "action", "results"])
@virtual
async def test_a_restart_in_any_phase_finishes_the_draw(scene: Scene, phase: str) -> None:
    scene.start(WHEEL)
    edition = await scene.phase(WHEEL, "betting")
    bets = [await scene.bet(WHEEL, colour) for colour in ("grey", "blue")]
    await scene.phase(WHEEL, phase)
    await scene.restart(WHEEL)
    await scene.until(lambda: [d for d in scene.hub.of(WHEEL) if d["gameEdition"] == edition and d["state"] == 3])
    await scene.until(lambda: all(scene.hub.bets[bet.bet]["end"] == "settled" for bet in bets))


@virtual
async def test_an_announced_draw_is_still_the_same_after_a_restart(scene: Scene) -> None:
    scene.start(WHEEL)
    await scene.until(lambda: scene.hub.of(WHEEL, 1))
    edition, commitment = scene.hub.announced[0]["gameEdition"], scene.hub.announced[0]["proof"]["commitment"]
    await scene.restart(WHEEL)
    (last,) = await scene.until(lambda: scene.hub.of(WHEEL, 3))
    assert (last["gameEdition"], last["proof"]["commitment"]) == (edition, commitment)


@virtual
async def test_a_draw_whose_betting_ended_without_its_studio_is_cancelled(scene: Scene) -> None:
    scene.start(WHEEL)
    edition = await scene.phase(WHEEL, "betting")
    bet = await scene.bet(WHEEL, "grey")
    await scene.studio.draws.close()
    await scene.clock.sleep(3)
    await scene.restart(WHEEL)
    await scene.until(lambda: scene.hub.bets[bet.bet]["end"] == "returned")
    (last,) = await scene.until(lambda: scene.hub.of(WHEEL, 5))
    assert last["gameEdition"] == edition


@virtual
async def test_a_stake_under_way_at_the_end_is_refunded_at_the_next_start(scene: Scene) -> None:
    """Its answer was never heard: the refund returns it, or is remembered before it comes."""
    scene.hub.fault = lambda verb, _: 2.0 if verb == "pay-in" else None
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    asking = asyncio.ensure_future(scene.bet(WHEEL, "grey"))
    await scene.until(lambda: scene.hub.bets)
    await scene.restart(WHEEL)
    await scene.until(lambda: all(bet["end"] == "returned" for bet in scene.hub.bets.values()))
    await asyncio.gather(asking, return_exceptions=True)
    assert len(scene.hub.bets) == 1


@virtual
async def test_what_was_owed_is_paid_after_a_restart(scene: Scene) -> None:
    scene.hub.fault = lambda verb, _: UNKNOWN if verb in ("pay-out", "refund") else None
    scene.start(WHEEL)
    await scene.phase(WHEEL, "betting")
    won = await scene.bet(WHEEL, "grey")
    await scene.until(lambda: scene.hub.of(WHEEL, 3))
    await scene.phase(WHEEL, "betting")
    undone = await scene.bet(WHEEL, "grey")
    scene.studio.draws.tables[WHEEL].cancel()
    await scene.until(lambda: scene.hub.of(WHEEL, 5))
    await scene.restart(WHEEL)
    scene.hub.fault = lambda _verb, _body: None
    await scene.until(lambda: scene.hub.bets[won.bet]["end"] == "settled")
    await scene.until(lambda: scene.hub.bets[undone.bet]["end"] == "returned")


@virtual
async def test_a_result_the_feed_had_not_taken_is_published_after_a_restart(scene: Scene) -> None:
    def fault(verb: str, told: dict[str, object]) -> Told | None:
        draws = told.get("draws")
        assert draws is None or isinstance(draws, list)
        return UNKNOWN if verb == "draws" and draws and "results" in draws[0] else None

    scene.hub.fault = fault
    scene.start(WHEEL)
    edition = await scene.phase(WHEEL, "results")
    await scene.until(lambda: scene.studio.draws.tables[WHEEL].ended)
    scene.hub.fault = lambda _verb, _body: None
    await scene.restart(WHEEL)
    await scene.until(lambda: [d for d in scene.hub.of(WHEEL, 3) if d["gameEdition"] == edition])


@virtual
async def test_who_could_not_leave_a_crash_game_gets_the_stake_back(scene: Scene) -> None:
    scene.start(CRASH)
    while True:
        await scene.phase(CRASH, "betting")
        stays, chose = await scene.bet(CRASH, "stays"), await scene.bet(CRASH, "1.50")
        table = scene.studio.draws.tables[CRASH]
        draw = await scene.until(
            lambda table=table: table.draw if table.draw and table.draw.phase.value != "betting" else None
        )
        if draw.phase is Phase.ACTION:
            break
    await scene.restart(CRASH)
    await scene.until(lambda: scene.hub.bets[stays.bet]["end"] == "returned")
    await scene.until(lambda: scene.hub.bets[chose.bet]["end"] == "settled")


@pytest.mark.parametrize("seed", range(6))
@virtual
async def test_restarts_again_and_again_lose_and_double_nothing(scene: Scene, seed: int) -> None:
    """At odd moments, with a hub that is slow or silent now and then; the hub's own assertions hold all the time."""
    odd = iter(range(seed, 10**9))

    def fault(verb: str, _told: object) -> Told | float | None:
        turn = next(odd)
        return None if turn % 4 else (UNKNOWN if verb == "draws" or turn % 8 else 4.0)

    scene.hub.fault = fault
    scene.start(WHEEL, CRASH)
    asked: list[asyncio.Future[object]] = []
    for turn in range(8):
        for game_type, choice in ((WHEEL, "grey"), (CRASH, "1.20"), (CRASH, "stays")):
            asked.append(asyncio.ensure_future(scene.bet(game_type, choice)))
        await asyncio.sleep(0.34 * (1 + (turn * 7 + seed) % 11))
        await scene.restart(WHEEL, CRASH)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    odd_ones = [
        a for a in answers if isinstance(a, Exception) and not isinstance(a, BetRejected | asyncio.CancelledError)
    ]
    assert not odd_ones
    scene.hub.fault = lambda _verb, _body: None
    tables = scene.studio.draws.tables.values()
    await scene.until(lambda: all(bet.state.ended for table in tables for bet in table.records.bets.values()))
    assert all(bet["end"] for bet in scene.hub.bets.values()), "every stake the hub took came to its end"


# --- the journal ------------------------------------------------------------------------------------------------


def journal(folder: Path) -> DrawJournal:
    return DrawJournal(FilePages(folder / "draws-24.jsonl"))


def moved(state: DrawBetState, win: int = 0) -> DrawBet:
    return DrawBet("d-1", WHEEL, 7, "s-1", "EUR", 1000, "grey", state, win)


def test_the_journal_gives_back_what_was_written_last(tmp_path: Path) -> None:
    first = journal(tmp_path)
    first.put_draw(DRAW)
    first.put_draw(StudioDraw(WHEEL, 7, "ab" * 32, Phase.RESULTS, 4, 1000, 2000, 2001, None, (4, "grey")))
    for bet in (BET, moved(DrawBetState.TAKEN), moved(DrawBetState.WIN, 2000)):
        first.put_bet(bet)
    first.put_told(7, 3)
    second = journal(tmp_path)
    assert (second.draws, second.bets, second.told) == (first.draws, first.bets, first.told)
    assert second.draws[7].results == (4, "grey")
    assert stat.S_IMODE((tmp_path / "draws-24.jsonl").stat().st_mode) == 0o600, "it holds a seed that is still secret"


def test_a_line_cut_off_by_a_crash_is_as_if_it_had_never_been_written(tmp_path: Path) -> None:
    first = journal(tmp_path)
    first.put_draw(DRAW)
    first.put_bet(BET)
    file = tmp_path / "draws-24.jsonl"
    whole = file.read_bytes()
    begun = whole.index(b"\n") + 1
    for cut in range(begun, len(whole)):
        file.write_bytes(whole[:cut])
        torn = journal(tmp_path)
        assert (torn.draws, torn.bets) == ({7: DRAW}, {})
        torn.put_bet(BET)
        assert journal(tmp_path).bets == {"d-1": BET}


@pytest.mark.parametrize(
    "line", ['{"draw":{"edition":1}}', '{"pot":{}}', "{}", "[]", "7", "{", '{"bet":{"state":"won"}}']
)
def test_a_journal_that_was_changed_by_hand_is_not_guessed_at(tmp_path: Path, line: str) -> None:
    (tmp_path / "draws-24.jsonl").write_text(f"{line}\n", "utf-8")
    with pytest.raises(JournalBroken, match="line 1"):
        journal(tmp_path)


def test_two_studios_never_share_a_journal(tmp_path: Path) -> None:
    held = lock(tmp_path / "draws")
    with pytest.raises(FolderInUse, match="another studio"):
        lock(tmp_path / "draws")
    os.close(held)
    os.close(lock(tmp_path / "draws"))


def test_what_is_over_is_forgotten_and_the_last_edition_is_not(tmp_path: Path) -> None:
    kept = journal(tmp_path)
    for edition in (7, 8, 9):
        kept.put_draw(StudioDraw(WHEEL, edition, "ab" * 32, Phase.FINISHED, 5, 1000, 2000))
    kept.put_bet(moved(DrawBetState.SETTLED))
    kept.put_told(7, 5)
    kept.put_told(9, 5)
    kept.forget_what_is_over()
    again = journal(tmp_path)
    assert (sorted(again.draws), again.bets) == ([8, 9], {}), "8 is not published yet, 9 is the newest"


@pytest.mark.parametrize("state", [s for s in DrawBetState if not s.ended])
def test_a_draw_with_a_bet_that_has_not_ended_is_kept(tmp_path: Path, state: DrawBetState) -> None:
    kept = journal(tmp_path)
    for edition in (7, 8):
        kept.put_draw(StudioDraw(WHEEL, edition, "ab" * 32, Phase.FINISHED, 5, 1000, 2000))
        kept.put_told(edition, 5)
    kept.put_bet(moved(state))
    kept.forget_what_is_over()
    assert sorted(kept.draws) == [7, 8]
    assert kept.bets


class FullDisk(FilePages):
    """A disk that is full now and then."""

    full = False

    def append(self, line: str) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().append(line)

    def replace(self, lines: Iterable[str]) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().replace(lines)


@virtual
async def test_a_full_disk_takes_no_bet_and_the_draws_go_on_once_there_is_room(scene: Scene) -> None:
    """A bet that is not in the journal must not be sent: nobody would know of it after a restart."""
    scene.start(WHEEL)
    table = scene.studio.draws.tables[WHEEL]
    await scene.phase(WHEEL, "betting")
    bet = await scene.bet(WHEEL, "grey")
    assert scene.folder is not None
    table.records._pages = FullDisk(scene.folder / "draws-24.jsonl")
    FullDisk.full = True
    try:
        with pytest.raises(OSError, match="space"):
            await scene.bet(WHEEL, "blue")
        assert scene.hub.heard["pay-in"] == 1
        await scene.clock.sleep(4)
        assert table.draw is not None
        assert table.draw.phase is Phase.BETTING, "no phase counts that is not written"
        assert any("cannot be written" in said for said in scene.studio.journal.complaints)
    finally:
        FullDisk.full = False
    await scene.until(lambda: scene.hub.bets[bet.bet]["end"] == "settled")


# --- the tables of states ---------------------------------------------------------------------------------------


def test_states_that_ended_lead_nowhere_and_every_other_one_leads_to_an_end() -> None:
    assert all(bool(NEXT[phase]) is not phase.ended for phase in Phase)
    assert all(bool(MOVES[state]) is not state.ended for state in DrawBetState)
    for state in DrawBetState:
        reached, new = {state}, {state}
        while new:
            new = {after for one in new for after in MOVES[one]} - reached
            reached |= new
        assert any(one.ended for one in reached)

"""The language of the stories: what it reads, what it says of a slip, and that a wrong story is never believed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.scenarios import language, words
from tests.scenarios.invariants import database_moves
from tests.scenarios.language import BadStory
from tests.scenarios.play import Differs, play
from tests.scenarios.pure import PureWorld

HERE = Path(__file__).parent
STORIES = sorted(HERE.glob("*.txt"))
GOOD = """A bet
Proves money.md 3.
hold 6

time | event              | answer | wallet | state
0:00 | pay-in b1 r1 10.00 | 1      | -10.00 | b1 on

At the end
b1  on, open: stake accepted
incidents none
undecided none
"""


def read(tmp_path: Path, text: str) -> language.Story:
    path = tmp_path / "a.txt"
    path.write_text(text)
    return language.read(path)


def told(story: language.Story) -> str:
    with pytest.raises(Differs) as raised:
        asyncio.run(play(story, PureWorld.of(story)))
    return str(raised.value)


def test_a_story_is_read_whole(tmp_path: Path) -> None:
    story = read(tmp_path, GOOD)
    assert (story.title, story.proves, story.settings) == ("A bet", "Proves money.md 3.", {"hold": "6"})
    (row,) = story.rows
    assert row.event == words.Ask("pay-in", "b1", "r1", "10.00")
    assert (row.at_ms, row.answer, row.figures, row.states) == (0, "1", {"wallet": -1000}, ("b1 on",))
    assert story.endings["b1"] == language.Ending("on", "open", {"stake": "accepted"})


@pytest.mark.parametrize(
    ("slip", "line", "problem"),
    [
        (("pay-in b1 r1 10.00", "pay-inn b1 r1 10.00"), 6, "is no event"),
        (("0:00 |", "0:0 |"), 6, "is no time"),
        (("-10.00", "-10.005"), 6, "decimals"),
        (("| b1 on", "| b1 on | more"), 6, "6 cells"),
        (("| wallet |", "| walet |"), 5, "no column is called walet"),
        (("hold 6", "holds 6"), 3, "'holds' is no setting"),
        (("stake accepted", "stakes accepted"), 9, "'stakes' is no kind of payment"),
        (("At the end", "At an end"), 8, "1 cells"),
        (("r1 10.00 ", "r1 10.00 at=home "), 6, "Ask takes no at"),
        (("Proves", "Shows"), 2, "'Shows' is no setting"),
    ],
)
def test_a_slip_is_told_with_its_line(tmp_path: Path, slip: tuple[str, str], line: int, problem: str) -> None:
    with pytest.raises(BadStory) as raised:
        read(tmp_path, GOOD.replace(*slip, 1))
    assert str(raised.value).startswith(f"a.txt:{line}: ")
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("honest", words.HONEST),
        ("accepts after 3s", replace(words.HONEST, after_s=3.0)),
        ("books, answer lost", words.Treatment("down", accepts=False, why="the connection broke")),
        ("answer lost, accepts after 2s", words.Treatment("down", after_s=2.0, why="the connection broke")),
        ("answers html", words.Treatment("unknown", books=False, accepts=False, why="html")),
        ("refuses 103802 after 2s", words.Treatment(books=False, code=103802, after_s=2.0)),
        ("exists without value", words.Treatment("bare", books=False, accepts=False)),
    ],
)
def test_the_ways_of_a_casino(text: str, how: words.Treatment) -> None:
    assert words.treatment(text) == how


def test_a_way_no_casino_has_is_refused() -> None:
    with pytest.raises(words.BadWords, match="is no way"):
        words.treatment("books, sings")


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
@pytest.mark.one_in(4)
def test_a_story_with_one_wrong_cell_is_not_believed(path: Path) -> None:
    """Every answer, figure, state and ending of every story is looked at: falsified, each is noticed at its line."""
    story = language.read(path)
    for number, row in enumerate(story.rows):
        wrong = [replace(row, answer=row.answer + "2")]
        wrong += [replace(row, figures={**row.figures, name: amount + 1}) for name, amount in row.figures.items()]
        wrong += [replace(row, states=(f"{state}x",)) for state in row.states]
        for version in wrong[-1:] if number % 3 else wrong:
            rows = [*story.rows[:number], version, *story.rows[number + 1 :]]
            assert told(replace(story, rows=rows)).startswith(f"{path.name}:{row.line}: ")
    ends = [{**story.endings, name: replace(end, state="none")} for name, end in story.endings.items()]
    for endings in ends:
        assert "at the end" in told(replace(story, endings=endings))
    assert "incidents should be" in told(replace(story, incidents=story.incidents | {"b1 invented"}))
    assert "undecided should be" in told(replace(story, undecided=story.undecided | {"b1 invented"}))
    assert "unexplained should be" in told(replace(story, unexplained=story.unexplained + 1))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_tables_are_aligned(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if "|" in line]
    head = [i for i, character in enumerate(lines[0]) if character == "|"]
    for line in lines:
        assert [i for i, character in enumerate(line) if character == "|"] == head, line


def test_the_stories_make_every_move_that_the_database_allows() -> None:
    """Rare paths are reached: bets, payments and cashbacks move along every edge, and along no other."""
    made: set[tuple[str, str, str]] = set()
    for path in STORIES:
        world = PureWorld.of(story := language.read(path))
        asyncio.run(play(story, world))
        made |= {move for move in world.hub.moves if move[1]}
    never_asked_after_unsent = ("payment", "created", "expired")
    assert made == database_moves() - {never_asked_after_unsent}


def test_the_stories_prove_every_line_of_section_4() -> None:
    """Each fault of money.md 4.1 to 4.4 that needs no real process is named by the story that proves it."""
    proofs = "\n".join(language.read(path).proves for path in STORIES)
    missing = [fault for fault in FAULTS if f'"{fault}' not in proofs]
    assert not missing


FAULTS = (
    "repeated in flight", "repeated with other contents", "refund before bet", "refund during make", "refund twice",
    "refund after payout", "payout before accept", "payout twice", "payout of a refunded bet",
    "payout or refund after the session ended", "provider gone after pay-in", "two providers with the same betId",
    "make lost", "its answer lost", "accept before the answer", "accept lost", "accept repeated",
    "accept contradicting", "accept late by seconds", "accept late by days",
    "for an unknown or another casino's payment", "HTTP 200 with rubbish", "a definite refusal",
    "a list partly answered, reordered, with gaps", "casino down for hours", "casino slow (bulkhead)",
    "applies one make twice", "forgets an accepted bet", "killed between any two steps", "a poisoned call",
)  # fmt: skip

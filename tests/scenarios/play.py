"""Plays a story in a world and holds it against what the story says.

Owns: the port that a world implements, the order of things, the comparison. Never: how a world does it. Every
difference is told with file and line, so that the text can be read beside it.
"""

from __future__ import annotations

from typing import Protocol

from croupier.core.money import format_amount
from tests.scenarios.language import Ending, Row, Story
from tests.scenarios.words import Event


class World(Protocol):
    """The hub with a provider and a casino around it, and the time they live in.

    Randomness is at its worst in every world: jitter never shortens a wait (a draw of just under 1). An
    acknowledgement is written at once (`ack_grace_s` 0). Casino calls end after 10 s.
    """

    async def go_to(self, at_ms: int) -> None:
        """Let time pass until so many milliseconds since the beginning; never backwards."""
        ...

    def now_ms(self) -> int:
        """Milliseconds since the beginning."""
        ...

    async def do(self, event: Event) -> str:
        """Do it and say what was answered, or "" where nothing is. An `Ask` without a label takes its time.

        A provider is answered its response code (`99 busy` for "not taken on"), a casino its ErrorCode, a person
        `done` or `cannot`; nobody who asks a dead hub is answered (`nothing`).
        """
        ...

    async def figure(self, name: str) -> int:
        """One of language.FIGURES, in minor units."""
        ...

    async def state(self, subject: str, kind: str | None = None) -> str:
        """State of a bet, a cashback or one of its payments (`created` counts as `sent`); `none` if there is none."""
        ...

    async def endings(self) -> dict[str, Ending]:
        """Every bet and cashback there is."""
        ...

    async def incidents(self) -> frozenset[str]:
        """Open incidents as `b1 parked`."""
        ...

    async def undecided(self) -> frozenset[str]:
        """Payments without an outcome as `b1 payout`."""
        ...

    async def unexplained(self) -> int:
        """What the casino's wallets changed, less what the ledger says they did."""
        ...


class Differs(AssertionError):
    """The world did not do what the story says."""


async def play(story: Story, world: World) -> None:
    """Play it to its end; raises Differs."""
    for row in story.rows:
        try:
            await _row(story, world, row)
        except Differs:
            raise
        except Exception as error:
            raise Differs(f"{_place(story, row)}: {type(error).__name__}: {error}") from error
    await _end(story, world)


def _place(story: Story, row: Row) -> str:
    return f"{story.path.name}:{row.line}: {row.words}"


async def _row(story: Story, world: World, row: Row) -> None:
    now = world.now_ms()
    at_ms = now + row.after_ms if row.at_ms is None else row.at_ms
    if at_ms < now:
        raise Differs(f"{_place(story, row)}: it is already {now / 1000} s")
    await world.go_to(at_ms)
    answer = await world.do(row.event)
    found = [_unlike("answer", row.answer, answer)]
    for name, amount in row.figures.items():
        found.append(_unlike(name, _text(amount, story), _text(await world.figure(name), story)))
    for state in row.states:
        subject, *kind, wanted = state.split()
        found.append(_unlike(state.rsplit(" ", 1)[0], wanted, await world.state(subject, *kind)))
    _tell(_place(story, row), found)


async def _end(story: Story, world: World) -> None:
    endings = await world.endings()
    found = [_unlike("bets and cashbacks", sorted(story.endings), sorted(endings))]
    found += [_unlike(name, ending, endings.get(name)) for name, ending in story.endings.items()]
    found.append(_unlike("incidents", sorted(story.incidents), sorted(await world.incidents())))
    found.append(_unlike("undecided", sorted(story.undecided), sorted(await world.undecided())))
    found.append(_unlike("unexplained", _text(story.unexplained, story), _text(await world.unexplained(), story)))
    _tell(f"{story.path.name}: at the end", found)


def _unlike(name: str, wanted: object, got: object) -> str | None:
    return None if wanted == got else f"{name} should be {wanted or 'nothing'}, is {got or 'nothing'}"


def _text(amount: int, story: Story) -> str:
    return format_amount(amount, story.currency)


def _tell(place: str, found: list[str | None]) -> None:
    if problems := [f for f in found if f]:
        raise Differs(f"{place}\n  " + "\n  ".join(problems))

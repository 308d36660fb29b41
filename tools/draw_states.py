"""Draws docs/states/*.md from the constant tables in src/croupier/core. `make states` runs it.

Owns: how a table is drawn, as a mermaid diagram and as plain tables. Never: a state, an event or its meaning; those
are read from the code. A house test fails while a drawing that is committed is not what this draws.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path

from croupier.core import bet, cashback, payment

STATES = Path(__file__).parents[1] / "docs" / "states"
NOTHING = "·"


@dataclass(frozen=True)
class Picture:
    """One state table of the core, with all that is drawn from it."""

    name: str
    table_name: str
    states: type[Enum]
    events: type[Enum]
    table: Mapping[tuple[Enum, Enum], Enum]
    born: frozenset[Enum]
    note: str = ""

    @property
    def source(self) -> str:
        """Path of the table's module from the top of the checkout."""
        return f"src/croupier/core/{self.name}.py"


def _birth(record: type) -> frozenset[Enum]:
    """Initial state of a new record."""
    return frozenset(field.default for field in fields(record) if field.name == "state")


PICTURES = (
    Picture(
        "bet",
        "BET_TABLE",
        bet.BetState,
        bet.BetEvent,
        bet.BET_TABLE,
        frozenset(bet.BORN),
        "A bet is born `asked`; `on` with a stake of 0 that is not sent; `settled` as a jackpot win; `tombstone` by a "
        "refund that came first.",
    ),
    Picture(
        "payment",
        "PAYMENT_TABLE",
        payment.PaymentState,
        payment.PaymentEvent,
        payment.PAYMENT_TABLE,
        _birth(payment.Payment),
        "Only a stake may `expire`, and only a bet's return may `revive`: `next_state` refuses both for every other "
        "kind.",
    ),
    Picture(
        "cashback",
        "CASHBACK_TABLE",
        cashback.CashbackState,
        cashback.CashbackEvent,
        cashback.CASHBACK_TABLE,
        _birth(cashback.Cashback),
    ),
)


def meanings(kind: type[Enum]) -> dict[str, str]:
    """Return the docstring under each member, by the member's value."""
    tree = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for line, below in zip(tree.body, tree.body[1:], strict=False):
        said = below.value if isinstance(below, ast.Expr) else None
        if isinstance(line, ast.Assign) and isinstance(said, ast.Constant) and isinstance(line.value, ast.Constant):
            found[str(line.value.value)] = " ".join(str(said.value).split())
    return found


def drawn(picture: Picture) -> str:
    """Return the text of the page."""
    head = f"# The states of a {picture.name}"
    origin = f"Drawn from `{picture.table_name}` in `{picture.source}` by `make states`; edits here are lost."
    parts = [head, origin, picture.note, _diagram(picture)]
    parts += ["## States", _glossary(picture.states), "## Events", _glossary(picture.events)]
    parts += ["## What leads where", f"A pair without a state ({NOTHING}) is a bug: it raises.", _matrix(picture)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _diagram(picture: Picture) -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {state.value}" for state in picture.states if state in picture.born]
    lines += [f"    {state.value} --> {after.value}: {event.value}" for (state, event), after in picture.table.items()]
    left = {state for state, _ in picture.table}
    lines += [f"    {state.value} --> [*]" for state in picture.states if state not in left]
    return "\n".join([*lines, "```"])


def _glossary(kind: type[Enum]) -> str:
    said = meanings(kind)
    return _table(["", "meaning"], ([f"`{member.value}`", said[member.value]] for member in kind))


def _matrix(picture: Picture) -> str:
    head = ["state \\ event", *(event.value for event in picture.events)]
    return _table(head, (_row(picture, state) for state in picture.states))


def _row(picture: Picture, state: Enum) -> list[str]:
    afters = (picture.table.get((state, event)) for event in picture.events)
    return [f"`{state.value}`", *(NOTHING if after is None else after.value for after in afters)]


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def drawings() -> Iterator[tuple[Path, str]]:
    """Return each page with its current text."""
    for picture in PICTURES:
        yield STATES / f"{picture.name}.md", drawn(picture)


def main() -> None:
    """Write the changed pages and print their names."""
    STATES.mkdir(parents=True, exist_ok=True)
    for page, text in drawings():
        if not page.exists() or page.read_text() != text:
            page.write_text(text)
            print(f"drew {page}")


if __name__ == "__main__":
    main()

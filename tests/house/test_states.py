"""The drawings of the state tables are what the tables say, and every word in them has its meaning."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import pytest

from tools.draw_states import PICTURES, STATES, Picture, drawings, drawn, meanings

names = [picture.name for picture in PICTURES]


@pytest.mark.parametrize(("page", "text"), list(drawings()), ids=names)
def test_the_committed_drawing_is_not_stale(page: Path, text: str) -> None:
    assert page.read_text() == text, "run `make states`"


def test_no_drawing_is_left_of_a_table_that_is_gone() -> None:
    assert {page.name for page in STATES.iterdir()} == {page.name for page, _ in drawings()}


@pytest.mark.parametrize("kind", [kind for p in PICTURES for kind in (p.states, p.events)], ids=lambda k: k.__name__)
def test_every_state_and_event_says_what_it_means(kind: type[Enum]) -> None:
    said = meanings(kind)
    assert set(said) == {member.value for member in kind}
    assert all(text.endswith(".") and len(text) > 12 for text in said.values())


@pytest.mark.parametrize("picture", PICTURES, ids=names)
def test_a_drawing_shows_every_birth_every_move_and_every_end(picture: Picture) -> None:
    text = drawn(picture)
    for state in picture.born:
        assert f"[*] --> {state.value}\n" in text
    for (state, event), after in picture.table.items():
        assert f"{state.value} --> {after.value}: {event.value}\n" in text
    assert text.count("-->") == len(picture.born) + len(picture.table) + len(ends(picture))


def ends(picture: Picture) -> set[Enum]:
    return set(picture.states) - {state for state, _ in picture.table}


@pytest.mark.parametrize("picture", PICTURES, ids=names)
def test_the_plain_table_has_a_cell_for_every_pair(picture: Picture) -> None:
    rows = [line for line in drawn(picture).splitlines() if line.startswith("| `")][-len(picture.states) :]
    cells = [row.strip("| ").split(" | ")[1:] for row in rows]
    assert [len(line) for line in cells] == [len(picture.events)] * len(picture.states)
    assert sum(cell != "·" for line in cells for cell in line) == len(picture.table)
    assert Path(picture.source).name == f"{picture.name}.py"

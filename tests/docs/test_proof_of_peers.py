"""docs/proof/hostile_peers.md counts what the tests try: no number of it is older than they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

from croupier.apps.operations import all_operations
from tests.apps.test_tenant_work import CASES
from tests.journeys.test_hostile_http import ENDLESS, REFUSED, SERVED, SMUGGLING
from tests.journeys.test_tenant_matrix import MATRIX
from tools.forge_jwts import TABLE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "proof" / "hostile_peers.md").read_text(encoding="utf-8")


def told(word: str) -> int:
    """The number before this word in a cell of the table."""
    (number,) = re.findall(rf"\| (\d+) {word} \|", PAGE)
    return int(number)


def test_the_page_counts_what_is_tried() -> None:
    assert told("tokens") == len(json.loads(TABLE.read_text("utf-8"))["rows"])
    assert told("cells") == len(MATRIX)
    assert told("lookups") == len(CASES)
    assert told("operations") == len(all_operations())
    assert told("cases") == sum(map(len, (REFUSED, SMUGGLING, SERVED, ENDLESS)))


def test_every_command_of_the_page_names_a_test() -> None:
    named = re.findall(r"`pytest (tests/[^`]+)`", PAGE)
    assert len(named) == 6
    assert all((ROOT / name).is_file() for name in named)


def test_the_proof_of_the_fuzz_holds_and_is_of_a_whole_run() -> None:
    proof = json.loads((ROOT / "docs" / "proof" / "fuzz.json").read_text(encoding="utf-8"))
    assert proof["findings"] == []
    assert proof["inputs"] >= 1_000_000
    assert proof["inputs"] == sum(tally["inputs"] for tally in proof["tallies"])
    assert max(tally["worst_ms"] for tally in proof["tallies"]) < 50

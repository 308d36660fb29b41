"""Every citation of the contract and of a decision leads to a section or a record that exists.

A citation is a page of docs/contract and the numbers of its sections: `money.md 3.6`, `money.md 2.3 and 2.5`. A page may
stand alone. The form is fixed by docs/contract/README.md, section 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.house.source import ROOT

pytestmark = pytest.mark.xdist_group("sources")
"""One process parses the sources for all tests that read them."""

PAGES = ROOT / "docs" / "contract"
FOLDERS = ("src", "tests", "docs", "tools", "examples", "bench", ".ci")
ENDINGS = {".py", ".md", ".txt", ".sql", ".sh", ".toml", ".json", ".in", ".yml", ""}

GAP = r"(?:[ ]|\n[ ]*(?:#[ ])?)"
"""A blank, or the end of a line inside a paragraph or a comment."""
NUMBER = r"[0-9]+(?:\.[0-9]+)*(?![\w%])(?!\.[0-9])"
NUMBERS = rf"{NUMBER}(?:(?:,|,?{GAP}and|{GAP}to){GAP}{NUMBER})*"
CITED = re.compile(
    rf"(?<![\w/.\-])(?:docs/contract/)?(?P<page>[a-z]+\.md)`?(?:,?{GAP}(?P<word>sections?){GAP})?(?:{GAP}(?P<numbers>{NUMBERS}))?"
)
DECIDED = re.compile(
    rf"\b[Dd]ecisions?{GAP}(?P<numbers>[0-9]{{4}}(?:(?:,|,?{GAP}and|{GAP}to){GAP}[0-9]{{4}})*)|decisions/(?P<file>[0-9]{{4}})"
)


@cache
def sections(page: Path) -> frozenset[str]:
    """The numbers of a page's headings: `## 3. Outcomes` and `### 3.6 Late accepts`."""
    return frozenset(re.findall(r"^#{2,3} ([0-9]+(?:\.[0-9]+)*)\.? \S", page.read_text(), re.MULTILINE))


@cache
def records() -> frozenset[str]:
    """The numbers of the decision records."""
    return frozenset(path.name[:4] for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))


@cache
def others() -> frozenset[str]:
    """Pages outside of the contract, which have no numbered sections."""
    return frozenset(
        path.name
        for folder in ("bench", "proof", "protocols", "states")
        for path in (ROOT / "docs" / folder).glob("*.md")
    )


def wrong(text: str) -> Iterator[str]:
    """The citations in a text that lead nowhere, each with the reason."""
    for found in CITED.finditer(text):
        page = PAGES / found["page"]
        if found["word"]:
            yield f"{found[0]!r}: write the number right after the page, as in money.md 3"
        elif not page.exists() and (found["numbers"] or found["page"] not in others()):
            yield f"{found[0]!r}: docs/contract has no such page"
        elif not page.exists():
            continue
        else:
            numbers = re.findall(NUMBER, found["numbers"] or "")
            yield from (f"{found[0]!r}: the page has no section {n}" for n in numbers if n not in sections(page))
    for found in DECIDED.finditer(text):
        numbers = re.findall(r"[0-9]{4}", found[0])
        yield from (f"{found[0]!r}: no such decision" for n in numbers if n not in records())


def texts() -> list[Path]:
    """Every text file of the repository, but not what is built or installed in it."""
    inside = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    found = [path for path in (*ROOT.iterdir(), *inside) if path.is_file() and path.suffix in ENDINGS]
    return sorted(path for path in found if "__pycache__" not in path.parts and path != Path(__file__))


def test_every_citation_leads_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {problem}"
        for path in texts()
        for problem in wrong(path.read_text(errors="replace"))
    ]
    assert not broken, "\n".join(broken)


def test_the_pages_and_their_sections_are_read() -> None:
    assert {"0", "1.1", "2.7", "3"} <= sections(PAGES / "casino.md")
    assert {"3.0", "3.10", "8"} <= sections(PAGES / "money.md")
    assert len(sections(PAGES / "operate.md")) == 8


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_every_section_has_a_number_and_each_number_is_there_once(page: Path) -> None:
    """A heading without a number cannot be cited, and a number that is there twice says nothing."""
    headings = re.findall(r"^#{2,} (.*)$", page.read_text(), re.MULTILINE)
    numbers = [re.match(r"([0-9]+(?:\.[0-9]+)*)\.? ", heading) for heading in headings]
    assert all(numbers), headings
    told = [number[1] for number in numbers if number]
    assert len(told) == len(set(told))
    assert all(number.rpartition(".")[0] in {"", *told} for number in told)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("Spec: money.md 3.6.", 0),
        ("Spec: money.md.", 0),
        ("(money.md 2.3, 2.5 and 3.0 to 3.4, casino.md 1.1)", 0),
        ("See `money.md 3.6` and docs/decisions/0035, decision 0036.", 0),
        ("money.md 4.4: within 99 s", 0),
        ("money.md 3.66", 1),
        ("money.md 9", 1),
        ("money.md 2.3 and 2.99", 1),
        ("casino.md\n1.9 of it", 1),
        ("    # Spec: casino.md\n    # 1.9", 1),
        ("money.md section 3", 1),
        ("money.md, sections 3 and 4", 1),
        ("fuzz.md", 0),
        ("fuzz.md 1", 1),
        ("house.md", 1),
        ("docs/contract/money.md 3.66", 1),
        ("decision 9999", 1),
        ("decisions 0035 and 9999", 1),
        ("docs/decisions/9999-nothing.md", 1),
    ],
)
def test_a_citation_that_leads_nowhere_is_seen(text: str, problems: int) -> None:
    assert len(list(wrong(text))) == problems

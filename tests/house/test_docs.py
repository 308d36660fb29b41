"""The documents name what exists: every path, module and function in them can be opened."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.house.source import ROOT, SOURCE, Module, modules

pytestmark = pytest.mark.xdist_group("sources")
"""One process parses the sources for all tests that read them."""

DOCUMENTS = (
    "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/LIFE_OF_A_BET.md", "docs/INVARIANTS.md",
    "docs/GLOSSARY.md", "docs/STYLE.md", "docs/ADD_A_CASINO.md", "docs/ADD_A_PROVIDER.md",
    "docs/contract/README.md", "docs/contract/casino.md", "docs/contract/provider.md", "docs/contract/money.md",
    "docs/contract/operate.md", "docs/contract/feed.md", "docs/contract/webframe.md", "docs/guides/draws.md", "docs/guides/feed.md",
)  # fmt: skip
FLOORS = {path.name for path in SOURCE.iterdir() if path.is_dir()}
ENDINGS = (".py", ".md", ".sql", ".toml", ".txt", ".sh")
QUOTED = re.compile(r"`([^`\n]+)`")
CHAIN = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


def quoted(text: str) -> set[str]:
    """What stands in backticks outside of fenced blocks."""
    return set(QUOTED.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)))


def is_path(name: str) -> bool:
    """Whether it can only mean a file or folder of the checkout, and not a call's path or a pattern."""
    if re.search(r"[\s<>{}*$:]|^/|^https?", name):
        return False
    return name.endswith(ENDINGS) or (
        "/" in name and name.split("/", maxsplit=1)[0] in {"src", "tests", "docs", "tools", *FLOORS}
    )


def exists(name: str) -> bool:
    """From the top, from src/croupier, from docs, its contract or from tests; a bare file name may be any module's."""
    if "/" not in name and any(SOURCE.rglob(name)):
        return True
    return any(
        (top / name).exists() for top in (ROOT, SOURCE, ROOT / "docs", ROOT / "docs" / "contract", ROOT / "tests")
    )


@cache
def defined(module: Module) -> frozenset[str]:
    """Every name that the module defines, at any depth, and what it imports to hand on."""
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
    return frozenset(found)


@cache
def opened() -> dict[str, list[Module]]:
    """Modules by every dotted way to name them: `pay_in`, `flows.pay_in`, `croupier.flows.pay_in`."""
    found: dict[str, list[Module]] = {}
    for module in modules():
        parts = ["croupier", *module.name.removesuffix(".py").removesuffix("/__init__").split("/")]
        for start in range(len(parts)):
            found.setdefault(".".join(parts[start:]), []).append(module)
    return found


@cache
def classes() -> dict[str, list[Module]]:
    """Modules by the classes they define, so that `Draft.book` needs no module."""
    found: dict[str, list[Module]] = {}
    for module in modules():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(module)
    return found


def unresolved(name: str) -> bool:
    """Whether a dotted name begins like one of ours and leads nowhere."""
    parts = name.removesuffix("()").split(".")
    starts = [(module, parts[n:]) for n in range(1, len(parts) + 1) for module in opened().get(".".join(parts[:n]), [])]
    starts += [(module, parts[1:]) for module in classes().get(parts[0], [])]
    return bool(starts) and not any(set(rest) <= defined(module) for module, rest in starts)


def wrong(text: str) -> set[str]:
    """The names in a document that do not exist."""
    names = quoted(text)
    paths = {name for name in names if is_path(name) and not exists(name)}
    chains = {n for n in names if CHAIN.fullmatch(n.removesuffix("()")) and not is_path(n)}
    calls = {n for n in names if re.fullmatch(r"[a-z_]\w*\(\)", n)}
    everything = frozenset().union(*map(defined, modules()))
    return paths | {n for n in chains if unresolved(n)} | {n for n in calls if n.removesuffix("()") not in everything}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_name_in_it_exists(document: str) -> None:
    page = ROOT / document
    if not page.exists():
        pytest.skip("not written yet")
    assert not wrong(page.read_text())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_in_it_exists(document: str) -> None:
    page = ROOT / document
    if not page.exists():
        pytest.skip("not written yet")
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name.split()[1] for name in quoted(page.read_text()) if re.fullmatch(r"make [a-z][a-z-]*", name)}
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_to_a_file_leads_somewhere(document: str) -> None:
    page = ROOT / document
    if not page.exists():
        pytest.skip("not written yet")
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert not [link for link in local if not (page.parent / link).exists()]


# --- the words are defined, each once ----------------------------------------------------------------------

OF_THE_CONTRACT = {
    "hub", "casino", "provider", "player", "session", "round", "bet", "payment", "make", "accept", "close", "cashback",
    "counterparty", "tag", "draw", "GGR",
}  # fmt: skip
OF_THE_CODE = {
    "decision", "draft", "terms", "call", "slot", "step", "verdict", "ruling", "reading", "incident", "finding", "suspense",
    "claim", "owed", "parked", "unanswered", "tombstone", "subject", "quirk", "trail", "checkpoint", "recovery", "waits",
}  # fmt: skip
"""Words of Croupier that the field lacks. Its own terms (lease, group commit, dispatcher ...) need no definition here."""


def defined_words(page: str) -> list[str]:
    """Return the words that the rows of a page's tables define."""
    rows = re.findall(r"^\| \*\*([^*]+)\*\* \|", (ROOT / page).read_text(), re.MULTILINE)
    return [word.strip() for row in rows for word in row.split(",")]


def test_the_contract_and_the_glossary_define_every_word_and_each_once() -> None:
    contract = [word for word in defined_words("docs/contract/README.md") if word[0] != "["]
    glossary = defined_words("docs/GLOSSARY.md")
    assert not OF_THE_CONTRACT - set(contract)
    assert not OF_THE_CODE - set(glossary)
    words = contract + glossary
    assert len(words) == len(set(words)), sorted(word for word in words if words.count(word) > 1)


def test_every_invariant_says_how_it_is_checked() -> None:
    text = (ROOT / "docs/INVARIANTS.md").read_text()
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert [section.split()[0] for section in sections] == [f"I{n}" for n in range(1, 22)]
    assert all("Checked:" in section or "Not kept yet" in section for section in sections)


# --- the reading reads --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "found_wrong"),
    [
        ("core/bet.py", False),
        ("src/croupier/core/bet.py", False),
        ("core/bat.py", True),
        ("docs/NO_SUCH.md", True),
        ("payments/make", False),
        ("bet_requests.pay_in", False),
        ("bet_requests.pay_inn", True),
        ("core.bet.next_bet_state", False),
        ("Draft.book", False),
        ("Draft.buy", True),
        ("hub.group_commit", False),
        ("pay_in()", False),
        ("pay_nobody()", True),
        ("money.md", False),
        ("time.time", False),
    ],
)
def test_a_name_that_leads_nowhere_is_seen(name: str, found_wrong: bool) -> None:
    assert bool(wrong(f"See `{name}` and ```\n`no_such.py`\n```.")) is found_wrong

"""Names that say what is inside, words of the wire where the wire is, and docstrings that a stranger can start from."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.source import ROOT, SOURCE, Function, Module, docstrings, every_module, modules

pytestmark = pytest.mark.xdist_group("sources")
"""One process parses the sources for all tests that read them."""

SHAPELESS = {"util", "utils", "helper", "helpers", "common", "manager", "service", "services", "base", "misc"}
"""Names that fit anything say nothing (docs/STYLE.md, Names)."""

AT_THE_WIRE = (
    "casinos/betcore_v2/",
    "providers/betcore_v1/",
    "sandbox/",
    "simulator/",
    "feed/rest/",
    "casino_api/",
    "benchmark/",
)
"""Where the spelling of a protocol may stand in code."""

ALSO_SPELL: dict[str, set[str]] = {
    "flows/pay_in.py": {"betAmount", "winAmount"},
    "flows/pay_out.py": {"winAmount"},
    "feed/subscriptions.py": {"PartnerClientId"},
    "apps/world.py": {"_responseCode", "sessionId", "PartnerClientId"},
    "admin_api": {"PartnerClientId", "BetId"},
    "cli": {"PartnerClientId", "Secret", "CounterpartyId", "sessionId", "frameUri", "BetId", "CashbackId", "betId"},
}
"""Prefix of a file's name to the spellings it may use: what `--json` prints is fixed by operate.md 2, the demo's driver
reads what the sandbox studio was answered, a subscription names its casino, and an amount that is wrong is named to the provider in its own spelling."""

MIRRORS = {
    "deploy",
    "house",
    "scenarios",
    "journeys",
    "docs",
    "simulation",
    "plants",
    "mutants",
    "chaos",
    "browser",
    "vectors",
    "fuzz",
}


WIRE_WORDS = {
    "PartnerClientId", "AccessToken", "TokenType", "ExpiresIn", "BetId", "CashbackId", "PartnerUserId",
    "PartnerTransactionId", "TransactionType", "TaxAmount", "PromoCode", "TagId", "IsClosed",
    "RefreshToken", "CurrencyCode", "ErrorCode", "betId", "gameRoundId", "betAmount", "winAmount", "winOdd",
    "_responseCode", "sessionId", "gameCategory", "lobbyImgUrl", "frameUri", "gameMode", "viewType", "gameMargin",
    "buttonAmounts", "X-Counterparty-Id", "X-Timestamp", "X-Request-Id", "X-Sign",
}  # fmt: skip
"""Spellings of casino.md and provider.md that are no word of ours."""


def words_in_code(module: Module) -> set[str]:
    """Names, attributes and texts of the code; docstrings may explain a spelling."""
    said, found = docstrings(module.tree), set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.arg | ast.keyword):
            found.add(node.arg or "")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            found.add(node.value)
    return found


def may_spell(module: Module) -> set[str]:
    return {word for prefix, words in ALSO_SPELL.items() if module.name.startswith(prefix) for word in words}


def public(module: Module) -> list[Function | ast.ClassDef]:
    """What others may use: public functions and classes of the module, and the public methods of those classes."""
    tops = [n for n in module.tree.body if isinstance(n, Function | ast.ClassDef) and not n.name.startswith("_")]
    inside = [m for c in tops if isinstance(c, ast.ClassDef) for m in c.body if isinstance(m, Function)]
    return [*tops, *(m for m in inside if not m.name.startswith("_"))]


@every_module
def test_a_file_has_a_name_of_its_own(module: Module) -> None:
    parts = module.name.removesuffix(".py").split("/")
    assert not SHAPELESS & {word for part in parts for word in part.split("_")}


@every_module
def test_a_file_says_what_it_owns(module: Module) -> None:
    """In its first lines: a sentence, and for all but the smallest what it owns, never does, or is the code of."""
    said = ast.get_docstring(module.tree)
    assert said, "no module docstring"
    assert len(said.split()) >= 5
    if module.lines > 60 and not module.name.endswith("__init__.py"):
        assert re.search(r"\b(Owns|Never|never|Spec)\b", said), "say what it owns, never does, or comes from"


@every_module
def test_what_is_public_is_explained(module: Module) -> None:
    """A function that only fulfils a protocol or overrides a library's may let its class speak."""
    mute = [node.name for node in public(module) if ast.get_docstring(node) is None and not fulfils(module, node)]
    assert not mute


def fulfils(module: Module, node: ast.AST) -> bool:
    """Whether it is a method of a class that is built on another one, where it is said what the method does."""
    classes = [c for c in module.tree.body if isinstance(c, ast.ClassDef) and c.bases]
    return any(node in c.body for c in classes)


@every_module
def test_wire_spellings_stay_in_the_folder_of_their_protocol(module: Module) -> None:
    strange = words_in_code(module) & WIRE_WORDS - may_spell(module)
    assert module.name.startswith(AT_THE_WIRE) or not strange


def test_the_list_of_wire_words_is_what_the_protocols_use() -> None:
    """A word that no protocol spells would hold nothing."""
    used = " ".join(m.text for m in modules() if m.name.startswith(AT_THE_WIRE[:2]))
    snake = used.replace("_", "").lower()
    assert not {word for word in WIRE_WORDS if word not in used and word.lower() not in snake}


@pytest.mark.parametrize("folder", [p for p in SOURCE.rglob("*") if p.is_dir()], ids=lambda p: p.name)
def test_every_folder_says_what_it_is(folder: Path) -> None:
    if not list(folder.glob("*.py")):
        return
    opening = folder / "__init__.py"
    assert opening.exists()
    assert ast.get_docstring(ast.parse(opening.read_text()))


def test_a_protocol_is_named_outside_its_folder_in_one_line() -> None:
    """One line of registration each; a profile or a test may name it too (ARCHITECTURE.md, A new protocol)."""
    for half, protocol in (("casinos", "betcore_v2"), ("providers", "betcore_v1")):
        naming = [m.name for m in modules() if re.search(rf"import .*{protocol}|{protocol} import", m.text)]
        outside = [n for n in naming if not n.startswith((f"{half}/{protocol}/", "sandbox/"))]
        assert len(outside) <= 1, outside


def test_tests_stand_where_their_code_stands() -> None:
    """tests/<floor>/ mirrors src/croupier/<floor>/; tiers of their own have names of their own."""
    floors = {p.name for p in SOURCE.iterdir() if p.is_dir()}
    folders = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert not folders - floors - MIRRORS


# --- the rules rule ---------------------------------------------------------------------------------------


def module(text: str, name: str = "core/thing.py") -> Module:
    return Module(name, text, ast.parse(text))


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        ('"""A betId."""\nx = 1', False),
        ('x = {"betId": 1}', True),
        ("def f(PartnerUserId): ...", True),
        ("a.BetId", True),
        ('x = "the betId of a bet"', False),
        ("# betId\nx = 1", False),
    ],
)
def test_a_spelling_is_seen_in_code_and_not_in_words(text: str, caught: bool) -> None:
    assert bool(words_in_code(module(text)) & WIRE_WORDS) is caught


def test_public_is_what_has_no_underscore() -> None:
    found = public(module("class A:\n    def b(self): ...\n    def _c(self): ...\ndef _d(): ...\ndef e(): ...\n"))
    assert [node.name for node in found] == ["A", "e", "b"]

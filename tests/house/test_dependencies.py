"""What the program says it needs, what the lock installs and what the source imports are the same packages."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BUILDS_IT = {"flit-core"}
"""In the lock only so that croupier itself is installed without a network."""


def names(lines: list[str]) -> set[str]:
    return {match[0].lower() for line in lines if (match := re.match(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", line))}


def declared() -> set[str]:
    return names(PROJECT["dependencies"])


OWN_LOCK = {"otel"}
"""Extras whose packages only those get who ask: each is locked in requirements-NAME.txt (decision 0097)."""


def extra(*, own_lock: bool = False) -> set[str]:
    extras: dict[str, list[str]] = PROJECT["optional-dependencies"]
    return {name for key, needed in extras.items() if (key in OWN_LOCK) is own_lock for name in names(needed)}


def imported() -> set[str]:
    """The top-level modules that the source imports, without the standard library and itself."""
    found: set[str] = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add((node.module or "").split(".")[0])
    return found - set(sys.stdlib_module_names) - {"croupier"}


def test_the_lock_is_made_of_what_the_program_declares() -> None:
    assert names((ROOT / "requirements.in").read_text().splitlines()) - BUILDS_IT == declared() | extra()


def test_the_lock_of_an_extra_is_made_of_what_it_declares() -> None:
    assert names((ROOT / "requirements-otel.in").read_text().splitlines()) == extra(own_lock=True)


def pins(file: str) -> set[str]:
    return set(re.findall(r"^[a-z0-9.-]+==\S+", (ROOT / file).read_text(), re.MULTILINE))


def test_the_locks_pin_the_same_versions() -> None:
    assert pins("requirements.txt") <= pins("requirements-otel.txt") <= pins("requirements-dev.txt")


@pytest.mark.parametrize(
    ("file", "wanted"), [("requirements.txt", declared() | extra()), ("requirements-otel.txt", extra(own_lock=True))]
)
def test_every_declared_package_is_locked_with_a_hash(file: str, wanted: set[str]) -> None:
    locked = (ROOT / file).read_text()
    for name in wanted:
        assert re.search(rf"^{re.escape(name)}==[^\n]+\\\n    --hash=sha256:", locked, re.MULTILINE | re.IGNORECASE), (
            name
        )


def test_every_imported_package_is_declared_and_none_of_the_extra_is_imported() -> None:
    providers = packages_distributions()
    needed = {name.lower().replace("_", "-") for module in imported() for name in providers[module]}
    assert needed <= declared(), needed - declared()
    assert not needed & (extra() | extra(own_lock=True))

"""What the program says it needs, what the lock installs and what the source imports are the same packages."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BUILDS_IT = {"flit-core"}
"""In the lock only so that croupier itself is installed without a network."""


def names(lines: list[str]) -> set[str]:
    return {match[0].lower() for line in lines if (match := re.match(r"[A-Za-z0-9_.-]+", line))}


def declared() -> set[str]:
    return names(PROJECT["dependencies"])


def extra() -> set[str]:
    return {name for needed in PROJECT["optional-dependencies"].values() for name in names(needed)}


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


def test_every_declared_package_is_locked_with_a_hash() -> None:
    locked = (ROOT / "requirements.txt").read_text()
    for name in declared() | extra():
        assert re.search(rf"^{re.escape(name)}==[^\n]+\\\n    --hash=sha256:", locked, re.MULTILINE | re.IGNORECASE), (
            name
        )


def test_every_imported_package_is_declared_and_none_of_the_extra_is_imported() -> None:
    providers = packages_distributions()
    needed = {name.lower().replace("_", "-") for module in imported() for name in providers[module]}
    assert needed <= declared(), needed - declared()
    assert not needed & extra()

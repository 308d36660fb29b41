"""The committed result of mutation testing: docs/proof/mutants.md and mutants.json. Owns: those two files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.mutants.reasons import reason_of
from tests.mutants.run import CORE, ROOT, SURVIVED, Result

PROOF = ROOT / "docs/proof/mutants.md"
DATA = PROOF.with_suffix(".json")
ASKED_FOR = 90.0
"""Percent of the mutants that must be killed."""


def digest_of(path: Path) -> str:
    """A digest of a module's text: what its result was measured on."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def is_known(path: Path) -> bool:
    """Whether the module's result is written, and of its present text."""
    row = read()["modules"].get(path.stem)
    return row is not None and row["source"] == digest_of(path)


def read() -> dict[str, Any]:
    """The committed data."""
    data: dict[str, Any] = json.loads(DATA.read_text()) if DATA.exists() else {"modules": {}}
    return data


def write(path: Path, results: Sequence[Result]) -> None:
    """Write what became of one module's mutants, beside what is known of the others."""
    data = read()
    survivors = [asdict(r) for r in results if r.fate == SURVIVED]
    data["modules"][path.stem] = {"source": digest_of(path), "mutants": len(results), "survivors": survivors}
    data["modules"] = dict(sorted(data["modules"].items()))
    PROOF.parent.mkdir(parents=True, exist_ok=True)
    DATA.write_text(json.dumps(data, indent=1) + "\n")
    PROOF.write_text(page(data))


def unmeasured(data: dict[str, Any]) -> list[str]:
    """The modules of the core whose mutants were never played."""
    return sorted({path.stem for path in CORE.glob("*.py")} - {"__init__"} - set(data["modules"]))


def total(data: dict[str, Any]) -> int:
    """How many mutants there were."""
    return sum(m["mutants"] for m in data["modules"].values())


def share(data: dict[str, Any]) -> float:
    """How many of a hundred were noticed."""
    alive = sum(len(m["survivors"]) for m in data["modules"].values())
    return 100 * (total(data) - alive) / max(total(data), 1)


def page(data: dict[str, Any]) -> str:
    """The page for people."""
    modules = data["modules"]
    survivors = [row for m in modules.values() for row in m["survivors"]]
    return "\n".join(
        [
            "# Mutation testing of the core",
            "",
            f"**{share(data):.1f} %** of {total(data)} mutants are killed by `tests/core` ({len(survivors)} survive; asked",
            f"for are {ASKED_FOR:.0f} %). `make mutants` repeats it. What is changed, and why by a tool of our own:",
            "`tests/mutants/mutations.py` and decision 0027.",
            "",
            "| module | mutants | survive |",
            "| --- | --- | --- |",
            *(f"| {name} | {m['mutants']} | {len(m['survivors'])} |" for name, m in modules.items()),
            *(f"| {name} | not measured yet | |" for name in unmeasured(data)),
            "",
            "## Survivors",
            "",
            "| where | change | why it may live |",
            "| --- | --- | --- |",
            *(_line(row) for row in survivors),
            "",
        ]
    )


def _line(row: dict[str, Any]) -> str:
    change = f"`{row['before']}` -> `{row['after']}`".replace("|", "\\|")
    return f"| {row['module']}:{row['line']} | {change} | {reason_of(row)} |"

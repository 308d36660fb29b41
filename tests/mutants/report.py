"""The committed result of mutation testing: docs/proof/mutants.md and mutants.json. Owns: those two files."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tests.mutants.reasons import reason_of
from tests.mutants.run import CORE, ROOT, SURVIVED, Result

PROOF = ROOT / "docs/proof/mutants.md"
DATA = PROOF.with_suffix(".json")
ASKED_FOR = 90.0
"""Percent of the mutants that must be killed."""


def share(results: Sequence[Result]) -> float:
    """How many of a hundred were noticed."""
    return 100 * sum(r.fate != SURVIVED for r in results) / max(len(results), 1)


def sources() -> dict[str, str]:
    """A digest of each module's text: what a result was measured on."""
    return {p.stem: hashlib.sha256(p.read_bytes()).hexdigest()[:16] for p in sorted(CORE.glob("*.py"))}


def write(results: Sequence[Result], seconds: int) -> None:
    """Write both files."""
    PROOF.parent.mkdir(parents=True, exist_ok=True)
    survivors = [asdict(r) for r in results if r.fate == SURVIVED]
    counted = {m: [sum(r.module == m for r in results), 0] for m in dict.fromkeys(r.module for r in results)}
    for r in survivors:
        counted[r["module"]][1] += 1
    data = {"share": round(share(results), 1), "mutants": len(results), "seconds": seconds, "modules": counted}
    data |= {"fates": dict(Counter(r.fate for r in results)), "sources": sources(), "survivors": survivors}
    DATA.write_text(json.dumps(data, indent=1) + "\n")
    PROOF.write_text("\n".join(page(data)) + "\n")


def read() -> dict[str, Any]:
    """The committed data."""
    data: dict[str, Any] = json.loads(DATA.read_text())
    return data


def page(data: dict[str, Any]) -> list[str]:
    """The page for people."""
    killed = data["mutants"] - len(data["survivors"])
    return [
        "# Mutation testing of the core",
        "",
        f"**{data['share']} %** of {data['mutants']} mutants are killed by `tests/core` ({killed} killed, ",
        f"{len(data['survivors'])} survive; asked for are {ASKED_FOR:.0f} %). `make mutants` repeats it in about",
        f"{max(data['seconds'] // 60, 1)} minutes. What is changed, and why by a tool of our own: `tests/mutants/mutations.py`",
        "and decision 0027.",
        "",
        "| module | mutants | survive |",
        "| --- | --- | --- |",
        *(f"| {module} | {n} | {alive} |" for module, (n, alive) in data["modules"].items()),
        "",
        "## Survivors",
        "",
        "| where | change | why it may live |",
        "| --- | --- | --- |",
        *(_line(r) for r in data["survivors"]),
    ]


def _line(row: dict[str, Any]) -> str:
    change = f"`{row['before']}` -> `{row['after']}`".replace("|", "\\|")
    return f"| {row['module']}:{row['line']} | {change} | {reason_of(row)} |"

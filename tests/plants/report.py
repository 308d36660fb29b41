"""The committed table: what each plant breaks and who caught it. Owns: docs/proof/plants.md and plants.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.plants.table import PLANTS, named

PROOF = Path(__file__).parents[2] / "docs/proof/plants.md"
DATA = PROOF.with_suffix(".json")


def write(rows: list[dict[str, Any]], control: dict[str, Any], run: dict[str, Any]) -> None:
    """Write both files."""
    PROOF.parent.mkdir(parents=True, exist_ok=True)
    data = {"run": run, "control": control, "plants": rows}
    DATA.write_text(json.dumps(data, indent=1) + "\n")
    PROOF.write_text(page(data))


def read() -> dict[str, Any]:
    """The committed data."""
    data: dict[str, Any] = json.loads(DATA.read_text())
    return data


def known() -> dict[str, dict[str, Any]]:
    """What is written of plants that were caught, by their digests."""
    return {row["digest"]: row for row in read()["plants"] if row["by"]} if DATA.exists() else {}


def page(data: dict[str, Any]) -> str:
    """The page for people."""
    return "\n".join(_lines(data)) + "\n"


def _lines(data: dict[str, Any]) -> list[str]:
    rows, control = data["plants"], data["control"]
    caught = [row for row in rows if row["by"] == "simulator"]
    share = f"{len(caught)} of {len(rows)} ({100 * len(caught) / len(rows):.1f} %)"
    first = sum(row["seed"] <= 10 for row in caught)
    return [
        "# Planted money bugs",
        "",
        "Bugs put on purpose into one module as it is imported, one at a time, and the simulator played on the hub that",
        "has them: seeds from 1 on, in their order, until the first violation. `make plants` repeats it; the plants are in",
        "`tests/plants`, and `make test` plays a share of them and fails when this page is not about the plants there.",
        "",
        f"- caught by the simulator within {data['run']['seeds']} seeds: **{share}**, {first} of them within 10 seeds",
        f"- caught by some test: **{sum(bool(row['by']) for row in rows)} of {len(rows)}**",
        f"- control: {control['seeds']} seeds without a plant, {control['payments']} payments, "
        f"{'no violation' if control['caught'] is None else control['said']}",
        "",
        "| plant | what it breaks | meant to break | caught at seed | said so first |",
        "| --- | --- | --- | --- | --- |",
        *(_line(row) for row in rows),
    ]


def _line(row: dict[str, Any]) -> str:
    plant = named(row["plant"])
    seed = row["seed"] if row["by"] == "simulator" else "-"
    said = row["said"][0] if row["said"] else f"`{row['by']}`"
    return f"| {plant.name} | {plant.breaks} | {plant.expected} | {seed} | {_short(said)} |"


def _short(said: str) -> str:
    return said.replace("|", "/").replace("\n", " ")[:110]


def stale(data: dict[str, Any]) -> list[str]:
    """The plants that the data does not cover as they are now, and what it covers that is no plant any more."""
    told = {row["plant"]: row["digest"] for row in data["plants"]}
    mine = {plant.name: plant.digest for plant in PLANTS}
    return sorted(name for name in told.keys() | mine.keys() if told.get(name) != mine.get(name))

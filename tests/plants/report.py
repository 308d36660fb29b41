"""The committed table of plants and their detection. Owns: docs/proof/plants.md and plants.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.plants.planting import Plant
from tests.plants.table import PLANTS, named

PROOF = Path(__file__).parents[2] / "docs/proof/plants.md"
DATA = PROOF.with_suffix(".json")


def write(rows: list[dict[str, Any]], control: dict[str, Any], run: dict[str, Any]) -> None:
    """Write both files. A row without a catch is left out."""
    rows = [row for row in rows if row["by"]]
    PROOF.parent.mkdir(parents=True, exist_ok=True)
    data = {"run": run, "control": control, "plants": rows}
    DATA.write_text(json.dumps(data, indent=1) + "\n")
    PROOF.write_text(page(data))


def read() -> dict[str, Any]:
    """Return the committed data."""
    nothing = {"control": {"runs": 0, "payments": 0, "caught": None}, "plants": []}
    data: dict[str, Any] = json.loads(DATA.read_text()) if DATA.exists() else nothing
    return data


def known() -> dict[str, dict[str, Any]]:
    """Return the rows of caught plants, by their digests."""
    return {row["digest"]: row for row in read()["plants"] if row["by"]}


def page(data: dict[str, Any]) -> str:
    """Return the page."""
    return "\n".join(_lines(data)) + "\n"


def _lines(data: dict[str, Any]) -> list[str]:
    rows, control = data["plants"], data["control"]
    caught = [row for row in rows if row["by"] == "simulator"]
    others = [row for row in rows if row["by"] not in ("simulator", "")]
    first = sum(row["run"] == 1 for row in caught)
    left = [f"`{plant.name}`" for plant in not_played(data)]
    clean = "no violation" if control["caught"] is None else str(control["said"])
    return [
        "# Planted money bugs",
        "",
        "Bugs put on purpose into one module as it is imported, one at a time, and the simulator played on the hub that",
        "has them: up to five runs of `croupier simulate --seed S --payments 1000`, S from 1 on, until the first violation.",
        "`make plants` repeats it, `make plants ARGS=--missing` plays what is not in the table yet. The plants are in",
        "`tests/plants`; `make test` plays a share of them, and fails when a row here is about another plant than the one there.",
        "",
        f"- plants: **{len(PLANTS)}**, measured: **{len(rows)}**, caught by the simulator: **{len(caught)}**, "
        f"{first} of them in the first run; caught by a named test instead: {len(others)}",
        f"- control: {control['runs']} runs without a plant, {control['payments']} payments, {clean}",
        f"- not measured yet: **{len(left)}**{': ' if left else ''}{', '.join(left)}",
        "",
        "| plant | what it breaks | meant to break | caught in run | said so first |",
        "| --- | --- | --- | --- | --- |",
        *(_line(row) for row in rows),
    ]


def not_played(data: dict[str, Any]) -> list[Plant]:
    """Return the plants without a row."""
    told = {row["plant"] for row in data["plants"]}
    return [plant for plant in PLANTS if plant.name not in told]


def _line(row: dict[str, Any]) -> str:
    plant = named(row["plant"])
    run = row["run"] if row["by"] == "simulator" else "-"
    said = row["said"][0] if row["said"] else f"`{row['by']}`"
    return f"| {plant.name} | {plant.breaks} | {plant.expected} | {run} | {_short(said)} |"


def _short(said: str) -> str:
    return said.replace("|", "/").replace("\n", " ")[:110]


def stale(data: dict[str, Any]) -> list[str]:
    """Return the names of rows whose plant is missing or has changed."""
    mine = {plant.name: plant.digest for plant in PLANTS}
    return sorted(row["plant"] for row in data["plants"] if mine.get(row["plant"]) != row["digest"])

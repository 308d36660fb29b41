"""The committed result of mutation testing: of every module of the core, above the share that is asked for."""

from __future__ import annotations

from tests.mutants import report
from tests.mutants.reasons import REASONS
from tests.mutants.run import CORE


def test_the_committed_page_says_what_was_measured() -> None:
    data = report.read()
    assert report.PROOF.read_text() == report.page(data)
    core = {path.stem for path in CORE.glob("*.py")} - {"__init__"}
    assert set(data["modules"]) | set(report.unmeasured(data)) == core
    assert len(report.unmeasured(data)) <= 1, "a new module waits for its measurement, and no second one"


def test_nine_of_ten_mutants_of_the_core_are_noticed() -> None:
    """Measured on the text of then: `make mutants ARGS=--missing` plays what has changed since."""
    assert report.share(report.read()) >= report.ASKED_FOR


def test_every_reason_is_about_a_survivor() -> None:
    rows = [row for module in report.read()["modules"].values() for row in module["survivors"]]
    assert REASONS.keys() <= {(row["module"], row["before"], row["after"]) for row in rows}

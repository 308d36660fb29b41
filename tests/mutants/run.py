"""Mutation testing of the core: `python -m tests.mutants.run`, or `make mutants`.

Each change of `mutations` is made in a process of its own, forked from one that has imported pytest and nothing of the
hub, and the core's tests are run until the first fails: the module's own first, then the others; with --long also the
walks and the machine, which take ten times as long as all others together. What no test notices survives. Writes docs/proof/mutants.md and mutants.json.
Owns: that run. Never: decides which survivors matter (reasons).
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import io
import os
import resource
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutations import Mutant, mutants

ROOT = Path(__file__).parents[2]
CORE = ROOT / "src/croupier/core"
TESTS = ROOT / "tests/core"
WARM = ROOT / "tests/mutants/test_mutations.py"
"""Tests that import nothing of the hub."""
LONG = ("test_walks.py", "test_machine.py")
"""Many orders of events: asked last, of what the others let pass."""
ENDS_WITHIN_S = 300
"""Seconds of processor time; what does not end is noticed."""
PRELOADED = ("pytest", "hypothesis", "_pytest.assertion.rewrite", "pytest_asyncio", "structlog", "zoneinfo", "json")
KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "does not end"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one mutant."""

    module: str
    line: int
    before: str
    after: str
    fate: str


def main() -> int:
    """See the module; exit 1 below the share that is asked for."""
    asked = _asked()
    _warm_up()
    from tests.mutants import report  # noqa: PLC0415 - it imports this module

    modules = [
        p for p in sorted(CORE.glob("*.py")) if p.stem != "__init__" and (not asked.only or p.stem in asked.only)
    ]
    for path in modules:
        if asked.missing and report.is_known(path):
            continue
        results = results_of(path, asked)
        killed = sum(r.fate != SURVIVED for r in results)
        print(f"{path.stem:18} {killed} of {len(results)} killed", flush=True)
        if asked.every == 1:
            report.write(path, results)
    told = report.read()
    print(f"{report.share(told):.1f} % of {report.total(told)} killed")
    return int(report.share(told) < report.ASKED_FOR)


def _warm_up() -> None:
    """Have pytest and its plugins in memory before the first fork, and nothing of the hub."""
    for name in PRELOADED:
        importlib.import_module(name)
    assert _run_tests([[str(WARM)]]) == 0
    assert not any(name.startswith("croupier") for name in sys.modules)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="so many at once")
    parser.add_argument("--every", type=int, default=1, help="only each n-th mutant; writes nothing")
    parser.add_argument("--long", action="store_true", help="ask the walks and the machine too")
    parser.add_argument("--missing", action="store_true", help="only modules that changed since they were written")
    parser.add_argument("--only", nargs="*", default=[], help="these modules of the core")
    return parser.parse_args()


def results_of(path: Path, asked: argparse.Namespace) -> list[Result]:
    """Every mutant of one module and its fate."""
    tree = ast.parse(path.read_text())
    found = mutants(tree)[:: asked.every]
    tests = _in_order(path.stem, long=asked.long)
    unchanged = Mutant(0, "", "", lambda: None)
    assert fate_of(path, tree, unchanged, tests=tests) == SURVIVED, "the tests fail without any change"
    with ThreadPoolExecutor(asked.jobs) as pool:
        fates = pool.map(lambda m: fate_of(path, tree, m, tests=tests), found)
        results = []
        for m, fate in zip(found, fates, strict=True):
            results.append(Result(path.stem, m.line, m.before, m.after, fate))
            if fate == SURVIVED:
                print(f"    {path.stem}:{m.line} {m.before}  ->  {m.after}", flush=True)
    return results


def fate_of(path: Path, tree: ast.Module, mutant: Mutant, *, tests: Sequence[list[str]]) -> str:
    """Whether a test notices."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _in_the_child(path, tree, mutant, tests=tests)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return TIMED_OUT if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else KILLED
    return SURVIVED if os.WEXITSTATUS(status) == 0 else KILLED


def _in_the_child(path: Path, tree: ast.Module, mutant: Mutant, *, tests: Sequence[list[str]]) -> None:
    """Change the tree, let the module be imported from it, run the tests. Never returns."""
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (ENDS_WITHIN_S, ENDS_WITHIN_S + 5))
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        os.dup2(devnull, 2)
        mutant.apply()
        ast.fix_missing_locations(tree)
        _import_from(f"croupier.core.{path.stem}", compile(tree, str(path), "exec", dont_inherit=True))
        code = _run_tests(tests)
    finally:
        os._exit(code)


def _import_from(name: str, code: object) -> None:
    from tests.mutants.hook import install  # noqa: PLC0415

    install(name, code)  # type: ignore[arg-type]


def _in_order(stem: str, *, long: bool) -> list[list[str]]:
    """The core's tests in the order in which they are asked."""
    files = sorted(p.name for p in TESTS.glob("test_*.py"))
    own = [f for f in files if f in (f"test_{stem}.py", "test_spellings.py")]
    others = [f for f in files if f not in own and f not in LONG]
    return [[str(TESTS / f) for f in part] for part in (own, others, list(LONG) if long else []) if part]


def _run_tests(parts: Sequence[list[str]]) -> int:
    import hypothesis  # noqa: PLC0415 - preloaded
    import pytest  # noqa: PLC0415 - preloaded

    # Preloading is the point, and pytest would rather rewrite what it finds loaded.
    quiet = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
    plugins = ("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:schemathesis")
    # A loaded machine is no finding, as in tests/conftest.py, which is not read here.
    slow = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile(
        "mutants", max_examples=30, derandomize=True, database=None, deadline=None, suppress_health_check=slow
    )
    hypothesis.settings.load_profile("mutants")
    for part in parts:
        with contextlib.redirect_stdout(io.StringIO()):
            code = int(pytest.main(["-x", "-q", "--noconftest", *quiet, *plugins, f"--rootdir={ROOT}", *part]))
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Laws of the house that no ready-made linter knows, each with its reason. Import floors: .importlinter."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT, SOURCE, Function, Module, docstrings, dotted, every_module, modules

pytestmark = pytest.mark.xdist_group("sources")
"""One process parses the sources for all tests that read them."""

MONEY_FLOORS = ("core", "store", "flows", "views")
"""Where an amount may pass."""

FLOATS_ALLOWED = {
    "store/embedded/server.py": "waits for a real process; no amount passes here",
    "store/embedded/watcher.py": "waits for a real process; no amount passes here",
    "store/parties/quirk_kinds.py": "reads settings that are seconds",
    "store/parties/providers.py": "waits by their names, in seconds",
    "store/ttl_cache.py": "keeps rows with the second they were asked at",
    "flows/admission.py": "keeps outcomes with the second they came at",
}
DIVIDES = {
    "core/waits.py": "an age in seconds, and jitter",
    "flows/poller.py": "milliseconds to seconds of waiting",
    "flows/rate_limit.py": "a pace, to seconds between questions",
    "views/health.py": "milliseconds to seconds of age",
    "store/embedded/server.py": "paths",
    "store/embedded/access.py": "paths",
    "store/embedded/directory.py": "paths",
    "store/processes.py": "paths",
}
SQL_ASKS_THE_CLOCK = {"store/db.py": "the one look at the database's clock, to learn its offset"}
ASKS_REAL_TIME = {
    "store/embedded/server.py": "waits for PostgreSQL's own processes, which live in real time",
    "store/embedded/access.py": "a password comes of real chance: no seed may ever give it again",
    "store/embedded/watcher.py": "watches PostgreSQL's own processes, which live in real time",
    "simulator/virtual_time.py": "its event loop makes the standard wait take virtual time",
}
BANNED_CALLS = re.compile(
    r"(?:time\.(?:time|time_ns|monotonic|monotonic_ns|perf_counter|sleep)|(?:datetime|dt)(?:\.datetime)?\."
    r"(?:now|utcnow|today)|date\.today|random\.\w+|secrets\.\w+|uuid\.uuid[14]|uuid4|os\.urandom|asyncio\.sleep)"
)
NETWORK = ("flows/ports.py", "kit/wire.py")
"""Where the calls that leave the machine are declared, as protocols."""

# --- no float touches an amount (I15) ---------------------------------------------------------------------


def statements(tree: ast.AST, *above: str) -> Iterator[tuple[ast.stmt, tuple[str, ...]]]:
    """Every statement, with the names of the functions it stands in."""
    for child in ast.iter_child_nodes(tree):
        inside = (*above, child.name) if isinstance(child, Function) else above
        if isinstance(child, ast.stmt):
            yield child, inside
        yield from statements(child, *inside)


def own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement without those of the statements inside it."""
    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, ast.stmt):
            yield child
            yield from (n for n in ast.walk(child) if n is not child)


def names(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.arg | ast.keyword):
        return node.arg
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def is_float(node: ast.AST) -> bool:
    """A float literal, or the name `float`: a conversion or an annotation."""
    literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
    return literal or (isinstance(node, ast.Name) and node.id == "float")


def floats(module: Module) -> list[int]:
    """Lines with a float in a statement that names no seconds (`_s`) and no luck."""
    found = []
    for statement, inside in statements(module.tree):
        nodes = list(own_nodes(statement))
        words = {*inside, *filter(None, map(names, nodes))}
        seconds = any(word.lower().endswith("_s") or word in ("luck", "seconds") for word in words)
        found += [] if seconds else [n.lineno for n in nodes if is_float(n) and isinstance(n, ast.expr)]
    return found


@every_module
def test_floats_are_seconds(module: Module) -> None:
    """An amount that was a float once is wrong for ever. Durations end in `_s`; nothing else is a float."""
    if module.floor in MONEY_FLOORS and module.name not in FLOATS_ALLOWED:
        assert not floats(module)


@every_module
def test_nothing_is_divided_but_time(module: Module) -> None:
    """`/` makes a float of two integers; amounts are divided by `divmod` with a rounding that a rule names."""
    if module.floor not in MONEY_FLOORS or module.name in DIVIDES:
        return
    pairs = (n for n in ast.walk(module.tree) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div))
    assert not [n.lineno for n in pairs if not is_path(n)]


def is_path(node: ast.BinOp) -> bool:
    """`folder / "name"`, however many times."""
    text = isinstance(node.right, ast.JoinedStr) or isinstance(getattr(node.right, "value", None), str)
    return text or (isinstance(node.left, ast.BinOp) and is_path(node.left))


# --- time is a parameter ----------------------------------------------------------------------------------

ASKING = re.compile(
    r"\b(?:now\s*\(\s*\)|current_timestamp|current_time\b|localtime\w*|(?:clock|statement)_timestamp)", re.IGNORECASE
)


def texts(module: Module) -> Iterator[ast.Constant]:
    """Every text of the code that is not for the reader."""
    said = docstrings(module.tree)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node


@every_module
def test_no_statement_asks_the_databases_clock(module: Module) -> None:
    """The simulator brings its own time, and a decision must read the same clock that judged it."""
    if module.name not in SQL_ASKS_THE_CLOCK:
        assert not [n.lineno for n in texts(module) if isinstance(n.value, str) and ASKING.search(n.value)]


@pytest.mark.parametrize("script", sorted(SOURCE.rglob("*.sql")), ids=lambda p: p.name)
def test_no_migration_asks_the_databases_clock(script: Path) -> None:
    code = re.sub(r"--.*", "", script.read_text())
    assert not ASKING.search(code)


def asked(module: Module) -> list[str]:
    """Uses of the real clock, of chance or of real waiting, without a reason on their line."""
    lines = module.text.splitlines()
    found = []
    for node in ast.walk(module.tree):
        name = dotted(node)
        if name and BANNED_CALLS.fullmatch(name):
            assert isinstance(node, ast.expr)
            line = lines[node.lineno - 1]
            found += [] if re.search(r"noqa: [A-Z0-9, ]*TID251 - \w+", line) else [f"{node.lineno}: {name}"]
    return found


@every_module
def test_clock_and_chance_come_from_the_kit(module: Module) -> None:
    """So that one seed replays a whole run. Where the real thing is meant, the line says why."""
    if module.floor != "kit" and module.name not in ASKS_REAL_TIME:
        assert not asked(module)


# --- the network is never awaited in a transaction --------------------------------------------------------


def leaving() -> set[str]:
    """The names of the calls that leave the machine, as the ports declare them."""
    declared = [m for m in modules() if m.name in NETWORK]
    ports = [c for m in declared for c in m.tree.body if isinstance(c, ast.ClassDef)]
    return {f.name for c in ports for f in c.body if isinstance(f, ast.AsyncFunctionDef)}


def in_transactions(tree: ast.AST, calls: set[str]) -> list[int]:
    """Lines in an `async with ….transaction()` block that await one of the calls."""
    found = []
    for block in (n for n in ast.walk(tree) if isinstance(n, ast.AsyncWith)):
        opened = [i.context_expr for i in block.items if isinstance(i.context_expr, ast.Call)]
        if not any(dotted(o.func).endswith("transaction") for o in opened):
            continue
        awaited = [n.value for line in block.body for n in ast.walk(line) if isinstance(n, ast.Await)]
        found += [c.lineno for c in awaited if isinstance(c, ast.Call) and dotted(c.func).split(".")[-1] in calls]
    return found


def test_the_ports_name_the_calls_that_leave_the_machine() -> None:
    assert {"make", "make_list", "info", "close", "auth", "launch", "send"} <= leaving()


@every_module
def test_no_transaction_waits_for_the_network(module: Module) -> None:
    """A peer that is slow would hold our locks. `assert_no_tx` says the same at run time."""
    assert not in_transactions(module.tree, leaving())


def test_flows_that_call_out_assert_that_no_transaction_is_open() -> None:
    """Every flow with a gateway's call in it asks `assert_no_tx` before."""
    for module in modules():
        if module.floor != "flows" or module.name == "flows/ports.py":
            continue
        calls = [n for n in ast.walk(module.tree) if isinstance(n, ast.Await) and calls_gateway(n.value)]
        if calls:
            assert "assert_no_tx()" in module.text, module.name


def calls_gateway(node: ast.expr) -> bool:
    """`await ….gateway.make(…)`, or the like."""
    return isinstance(node, ast.Call) and "gateway" in dotted(node.func).lower()


# --- one door to the database, one to the money -----------------------------------------------------------


def imported(module: Module) -> set[str]:
    """Every module that is imported, by its full name."""
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@every_module
def test_only_the_store_imports_the_driver(module: Module) -> None:
    """.importlinter holds it too; here also for imports inside functions."""
    if module.floor != "store" and module.name != "simulator/synchronous_db.py":
        assert not {name for name in imported(module) if name.split(".")[0] == "asyncpg"}


MONEY_TABLES = ("bets", "payments", "cashbacks", "ledger", "events", "calls")
WRITES = re.compile(rf"\b(?:insert\s+into|update|delete\s+from)\s+(?:{'|'.join(MONEY_TABLES)})\b", re.IGNORECASE)
WRITES_MONEY = {
    "store/money/group_commit_sql.py": "the commit train: every decision",
    "store/money/calls.py": "the leases of the queue, and that a try under a lost lease went unanswered",
    "store/money/jackpots.py": "a pot's own entries and events: mark, shares and entries are one transaction (decision 0050)",
    "store/money/balances.py": "the balance an answer told, beside the answer",
    "store/oversight/archived_rows.py": "deletes entries and events that a signed archive holds (decision 0104)",
    "store/fitness.py": "a trial without rows that is always rolled back",
}


@every_module
def test_money_is_written_by_the_train_alone(module: Module) -> None:
    """One door (ARCHITECTURE.md, The group commit): a bet, a payment, an entry changes by a decision, whole, or not at all."""
    if module.name not in WRITES_MONEY:
        assert not [n.lineno for n in texts(module) if isinstance(n.value, str) and WRITES.search(n.value)]


def test_nothing_runs_with_assertions_off() -> None:
    """The money invariants are assertions and stay on: no -O, no PYTHONOPTIMIZE in anything that starts us."""
    starters = [ROOT / "Makefile", ROOT / ".ci" / "run", *(ROOT / "tools").glob("*")]
    text = "\n".join(p.read_text() for p in starters if p.is_file())
    assert not re.search(r"PYTHONOPTIMIZE|python[0-9.]* -O", text)
    assert __debug__


# --- exceptions are needed --------------------------------------------------------------------------------


def by_name(name: str) -> Module:
    return next(m for m in modules() if m.name == name)


@pytest.mark.parametrize("name", FLOATS_ALLOWED)
def test_every_exception_for_floats_is_needed(name: str) -> None:
    assert floats(by_name(name))


@pytest.mark.parametrize("name", DIVIDES)
def test_every_exception_for_division_is_needed(name: str) -> None:
    assert any(isinstance(n, ast.Div) for n in ast.walk(by_name(name).tree))


@pytest.mark.parametrize("name", ASKS_REAL_TIME)
def test_every_exception_for_real_time_is_needed(name: str) -> None:
    assert asked(by_name(name))


@pytest.mark.parametrize("name", WRITES_MONEY)
def test_every_exception_for_writing_is_needed(name: str) -> None:
    assert any(isinstance(n.value, str) and WRITES.search(n.value) for n in texts(by_name(name)))


@pytest.mark.parametrize("name", SQL_ASKS_THE_CLOCK)
def test_every_exception_for_the_databases_clock_is_needed(name: str) -> None:
    assert any(isinstance(n.value, str) and ASKING.search(n.value) for n in texts(by_name(name)))


# --- the laws catch what they are for ---------------------------------------------------------------------


def made(text: str) -> Module:
    return Module("core/thing.py", text, ast.parse(text))


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        ("amount = 1.5", True),
        ("amount = float(text)", True),
        ("def f(amount: float): ...", True),
        ("def f(hold_s: float = 6.0): ...", False),
        ("HOLD_S = 1.5", False),
        ("def hold_s(self):\n    return 0.0", False),
        ("def f(wait_s):\n    amount = 2.5", True),
        ('x = {"hold_s": 1.0}', False),
    ],
)
def test_a_float_is_seen_unless_it_is_seconds(text: str, caught: bool) -> None:
    assert bool(floats(made(text))) is caught


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        ("async def f():\n    async with db.transaction() as tx:\n        await gateway.make(a)", True),
        ("async def f():\n    async with db.transaction() as tx:\n        await tx.execute(a)", False),
        (
            "async def f():\n    async with db.transaction() as tx:\n        if a:\n            await self.wire.send(b)",
            True,
        ),
        ("async def f():\n    async with limit:\n        await wire.send(a)", False),
    ],
)
def test_a_call_in_a_transaction_is_seen(text: str, caught: bool) -> None:
    assert bool(in_transactions(ast.parse(text), {"make", "send"})) is caught


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        ("import time\ntime.time()", True),
        ("asyncio.sleep(1)", True),
        ("asyncio.sleep(0)  # noqa: TID251 - yields", False),
        ("asyncio.sleep(0)  # noqa: TID251", True),
        ("clock.sleep(1)", False),
        ("dt.datetime.now(dt.UTC)", True),
        ("uuid.uuid4()", True),
    ],
)
def test_a_look_at_the_real_clock_is_seen(text: str, caught: bool) -> None:
    assert bool(asked(made(text))) is caught


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        ("select now()", True),
        ("select CURRENT_TIMESTAMP", True),
        ("select $1 as now_ms", False),
        ("select clock_timestamp()", True),
        ("where knowing", False),
    ],
)
def test_a_statement_that_asks_the_clock_is_seen(text: str, caught: bool) -> None:
    assert bool(ASKING.search(text)) is caught

"""The real command as a process, on a home of this run with its embedded database, and bets to look at."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from croupier.kit.seal import Sealer, load_or_make_key
from croupier.store.db import Db
from croupier.store.embedded.server import Attached, attach
from croupier.store.migrate import migrate
from tests.conftest import make_home, remove_home
from tests.core.samples import Story
from tests.views.world import Kept, World

T = TypeVar("T")
FIRST_BET = 2000


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)


class Zygote:
    """Runs commands as processes that need not load the program anew (zygote.py): 0.2 s instead of 1.5."""

    def __init__(self, folder: Path) -> None:
        self._in, self._out, self._err = folder / "in", folder / "out", folder / "err"
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            env={**os.environ, "PYTHONPATH": "src"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, words: Sequence[str], environ: Mapping[str, str], typed: str = "") -> Said:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in.write_text(typed, "utf-8")
        streams = {"in": str(self._in), "out": str(self._out), "err": str(self._err)}
        request = {"words": words, "environ": environ, **streams}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return Said(code, self._out.read_text("utf-8"), self._err.read_text("utf-8"))

    def end(self) -> None:
        self._process.communicate(timeout=20)


class Cli:
    """Runs `croupier` in one home."""

    def __init__(self, home: Path, zygote: Zygote, attached: Attached | None = None) -> None:
        self.home = home
        self.zygote = zygote
        self._attached = attached
        self._subjects = FIRST_BET

    def environ(self, **changes: str | None) -> dict[str, str]:
        own = {k: v for k, v in os.environ.items() if not k.startswith("CROUPIER_")}
        told = {"CROUPIER_HOME": str(self.home), "CROUPIER_ALLOW_PRIVATE_PEERS": "1", **changes}
        return {**own, "PYTHONPATH": "src", **{k: v for k, v in told.items() if v is not None}}

    def __call__(self, *words: str, typed: str = "", **environ: str | None) -> Said:
        """Run it with `typed` on standard input, whatever comes of it."""
        said = self.zygote.run(words, self.environ(**environ), typed)
        assert "Traceback" not in said.err, said.err
        return said

    def ok(self, *words: str, **environ: str | None) -> Said:
        """Run it; it must do it."""
        said = self(*words, **environ)
        assert said.code == 0, said.err
        return said

    def json(self, *words: str) -> Any:
        """Run it with --json; standard output must be one JSON value and nothing else."""
        return self.ok(*words, "--json").json()

    def review(self, *words: str) -> Any:
        """The four lists of `incidents`; its exit code tells whether an incident is open."""
        said = self("incidents", *words, "--json")
        found = said.json()
        assert said.code == (3 if found["incidents"] else 0)
        return found

    def complaint(self, *words: str, code: int = 1, **environ: str | None) -> str:
        """Run it; it must fail with one sentence on standard error, and nothing on standard output."""
        said = self(*words, **environ)
        assert said.code == code, (said.out, said.err)
        assert said.out == ""
        assert said.err.startswith("croupier: ")
        assert len(said.err.splitlines()) == 1
        return said.err.removeprefix("croupier: ").strip()

    def start(self, *words: str, **environ: str | None) -> subprocess.Popen[str]:
        """Start one that stays; end it with `end`."""
        return subprocess.Popen(
            [sys.executable, "-m", "croupier.cli", *words],
            env=self.environ(**environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    # --- rows behind the command's back

    def world(self, work: Callable[[World], Awaitable[T]]) -> T:
        """Do something with the rows of this home."""
        assert self._attached is not None
        url = self._attached.dsn

        async def run() -> T:
            db = await Db.connect(url, size=2)
            try:
                return await work(World(db, url))
            finally:
                await db.close()

        return asyncio.run(run())

    def story(self) -> Kept:
        """A bet or cashback of casino Aurora and provider Fable that nothing has happened to."""
        self._subjects += 1
        return Kept(self._subjects)

    def keep(self, *stories: Story) -> None:
        """Write what the stories decided."""
        self.world(lambda world: world.keep(*stories))


def end(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> Said:
    """Ask it to end, and wait."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        out, err = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Said(process.returncode, out, err)


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """Where commands come from."""
    made = Zygote(tmp_path_factory.mktemp("said"))
    yield made
    made.end()


@pytest.fixture
def nowhere(tmp_path: Path, zygote: Zygote) -> Cli:
    """The command in a home that is not there."""
    return Cli(tmp_path / "home", zygote)


@pytest.fixture(scope="session")
def cli(zygote: Zygote) -> Iterator[Cli]:
    """The command in a home that has a casino (Aurora, 11), a provider (Fable, 22), a player and a game."""
    with furnished(zygote) as made:
        yield made


@contextmanager
def furnished(zygote: Zygote) -> Iterator[Cli]:
    """The command in such a home of its own."""
    home = make_home()
    try:
        with attach(home) as attached:
            made = Cli(home, zygote, attached)
            made.world(lambda world: _furnish(world, Sealer(load_or_make_key(home / "key"))))
            yield made
    finally:
        remove_home(home)


async def _furnish(world: World, sealer: Sealer) -> None:
    await migrate(world.db)
    await world.furnish()
    sealed = sealer.seal(b"a secret of the studio", "providers.secret.22")
    await world.db.execute("update providers set secret = $1 where provider_id = 22", sealed)
    # The rows name their ids themselves: what the commands add comes after them.
    await world.db.fetch("select setval(pg_get_serial_sequence('casinos', 'casino_id'), 100)")
    await world.db.fetch("select setval(pg_get_serial_sequence('providers', 'provider_id'), 100)")
    await world.db.fetch("select setval(pg_get_serial_sequence('players', 'player_id'), 100)")
    await world.db.fetch("select setval(pg_get_serial_sequence('games', 'game_id'), 100)")


@pytest.fixture(scope="session")
def studio(cli: Cli) -> Iterator[dict[str, Any]]:
    """A sandbox studio that joined the home's hub by itself: its row as `provider show` prints it."""
    process = cli.start("sandbox", "studio", "--join")
    assert process.stdout is not None
    assert process.stderr is not None
    url = process.stdout.readline().strip()
    told = process.stderr.readline()
    try:
        assert "joined the hub" in told, told
        rows = cli.json("provider", "list")
        yield next(row for row in rows if row["url"] == url)
    finally:
        assert end(process).code == 0

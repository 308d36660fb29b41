"""The stage of docs/OPERATIONS.md: a home with old and new bets, a sandbox casino and studio, and a shell that runs the page's blocks."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import asyncpg

from croupier.core.payment import SLOT_CLOSE
from croupier.core.readings import CloseDone
from croupier.kit.chance import SeededChance
from croupier.store.embedded.directory import programs
from croupier.store.oversight.trail import Trail
from tests.cli.conftest import Cli, end
from tests.core.samples import NOT_ADDED, K
from tests.kit.authority import Authority
from tests.kit.collector import Collector, collector
from tests.kit.mail_server import mail_server
from tests.views.world import DAY_MS, Kept, World

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "OPERATIONS.md"
PATIENCE_S = 90.0
NOT_RUN = "Not run by the tests: "
_MARK = "== ended with "
_BLOCK = re.compile(r"^ *```.*?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its section, its number there, its text, and the paragraph that follows it."""

    section: str
    number: int
    text: str
    after: str

    @property
    def name(self) -> str:
        return f"{self.section} {self.number}"

    @property
    def commands(self) -> list[str]:
        """Each command, with its continued lines; lines that are empty or a comment are none."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def blocks(page: str) -> dict[str, Block]:
    """Every fenced block of a page by its name, in order."""
    found: dict[str, Block] = {}
    counts: dict[str, int] = {}
    for match in _BLOCK.finditer(page):
        section = _HEADING.findall(_BLOCK.sub("", page[: match.start()]))[-1]
        counts[section] = counts.get(section, 0) + 1
        after = page[match.end() :].strip().split("\n\n", 1)[0]
        block = Block(section, counts[section], match[1], after)
        found[block.name] = block
    return found


@dataclass(frozen=True)
class Ran:
    """A command of a block, its exit code, and what it printed on both streams."""

    command: str
    code: int
    said: str

    @property
    def words(self) -> str:
        """What it printed, with single blanks: a table breaks its lines."""
        return " ".join(self.said.split())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for it."""
    patience = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < patience, f"waited in vain: {what}"
        time.sleep(0.05)


def post(url: str, body: Mapping[str, Any]) -> Any:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)


class Shell:
    """A bash that runs commands one after the other in one folder, as a person would type them, and notes how each ended."""

    def __init__(self, commands: list[str], folder: Path, environ: Mapping[str, str]) -> None:
        self._commands = commands
        self._said = folder / f"said-{time.monotonic_ns()}.log"
        # What ends the hub must not end the shell before it has noted the exit code.
        script = "trap : TERM\n" + "".join(f"{one}\necho '{_MARK}'$?\n" for one in commands)
        with self._said.open("wb") as sink:
            self.process = subprocess.Popen(
                ["bash", "--norc", "-c", script],
                cwd=folder, env=dict(environ), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
            )  # fmt: skip

    def said(self) -> str:
        return self._said.read_text("utf-8", "replace")

    def wait(self, patience_s: float = PATIENCE_S) -> list[Ran]:
        """Each command with what came of it, once all have ended."""
        try:
            self.process.wait(patience_s)
        finally:
            self.kill()
        return self._ran()

    def await_words(self, words: str, times: int = 1) -> None:
        """Wait until the commands have printed these words so often."""

        def there() -> bool:
            found = self.said().count(words) >= times
            assert found or self.process.poll() is None, self.said()
            return found

        until(there, words)

    def stop(self) -> list[Ran]:
        """End the last command, a hub, in order."""
        os.killpg(self.process.pid, signal.SIGTERM)
        return self.wait(30.0)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _ran(self) -> list[Ran]:
        parts = re.split(rf"{re.escape(_MARK)}(\d+)\n", self.said())
        ended = list(zip(parts[::2], parts[1::2], strict=False))
        assert len(ended) == len(self._commands), self.said()
        return [Ran(one, int(code), said) for one, (said, code) in zip(self._commands, ended, strict=True)]


@dataclass
class Stage:
    """Where the blocks run. Ids are filled in when the rows are there."""

    cli: Cli
    folder: Path
    restored: Path
    """The home of a new machine, for the restore."""
    port: int = field(default_factory=free_port)
    other_port: int = field(default_factory=free_port)
    hub: Shell | None = None
    studio_url: str = ""
    places: dict[str, str] = field(default_factory=dict)
    """The addresses of the servers that a test runs itself."""
    session: str = ""
    stories: dict[str, Kept] = field(default_factory=dict)
    hooks: list[bytes] = field(default_factory=list)
    """The messages that the webhook took."""
    collected: Collector = field(default_factory=Collector)
    _sides: list[subprocess.Popen[str]] = field(default_factory=list)

    def environ(self, **more: str) -> dict[str, str]:
        """The settings of a person's shell: the program and PostgreSQL's programs on the path, and this home."""
        own = {k: v for k, v in os.environ.items() if not k.startswith(("CROUPIER_", "PYTHON"))}
        path = [f"{sys.prefix}/bin", str(programs(self.cli.home) / "bin"), os.environ["PATH"]]
        return own | {
            "PATH": os.pathsep.join(path), "PYTHONPATH": str(ROOT / "src"), "HOME": str(self.folder), "COLUMNS": "200",
            "CROUPIER_HOME": str(self.cli.home), "CROUPIER_PORT": str(self.port), "CROUPIER_ALLOW_PRIVATE_PEERS": "1",
        } | more  # fmt: skip

    def shell(self, commands: list[str], **more: str) -> Shell:
        return Shell(commands, self.folder, self.environ(**more))

    def value(self, sql: str, url: str | None = None) -> Any:
        """The first value of a query in the home's database, or in the one of this address."""

        async def ask() -> Any:
            connection = await asyncpg.connect(url or self.database("croupier"))
            try:
                return await connection.fetchval(sql)
            finally:
                await connection.close()

        return asyncio.run(ask())

    def database(self, name: str) -> str:
        """The address of a database of the home's server."""
        assert self.cli._attached is not None
        return self.cli._attached.dsn.replace("/croupier?", f"/{name}?")

    @property
    def annas_bet(self) -> str:
        return str(self.value("select max(bet_id) from bets where round_ref = 'r-77'"))

    @property
    def annas_day(self) -> str:
        """The day of that bet, in UTC."""
        created_ms = self.value(f"select created_ms from bets where bet_id = {self.annas_bet}")
        return f"{datetime.fromtimestamp(created_ms / 1000, UTC):%Y-%m-%d}"

    @property
    def transaction(self) -> str:
        return str(
            self.value(f"select partner_tx from payments where subject_id = {self.annas_bet} and kind = 'stake'")
        )

    def id_of(self, story: str) -> str:
        return str(self.stories[story].subject_id)

    def incident_of(self, story: str) -> str:
        sql = f"select incident_id from incidents where subject_id = {self.id_of(story)} and name = 'parked'"
        return str(self.value(sql))

    @property
    def hub_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def backup(self) -> Path:
        return next((self.folder / "backups").glob("*.tar.age"))

    # --- what is there before the hub starts

    def write_rows(self) -> None:
        """Write bets that ended long ago, that wait for a person, and that are on; bind the old ones as if they always were."""
        names = ("ten years old", "two years old", "paid by hand", "to return", "seen 1", "seen 2", "seen 3", "outage")
        self.stories = {name: self.cli.story() for name in names}
        for name, years in (("ten years old", 11), ("two years old", 2)):
            story = self.stories[name]
            story.settled()
            story.closed(SLOT_CLOSE, CloseDone())
            self.cli.keep(story)
            self.cli.world(_older(story.subject_id, years * 366 * DAY_MS))
        for name in ("paid by hand", "seen 1", "seen 2", "seen 3"):
            self.stories[name].settled(20_000, paid=False).exists(K.PAYOUT, amount="1.00")
        self.stories["to return"].on()
        self.stories["outage"].settled(paid=False)
        for _ in range(5):
            self.stories["outage"].made(K.PAYOUT, NOT_ADDED)
        self.cli.keep(*(story for name, story in self.stories.items() if "years" not in name))

    # --- the two sides, and a round between them

    def join(self) -> None:
        """Start a sandbox casino as Aurora, and a sandbox studio that joins by itself."""
        casino, studio = (
            self.cli.start("sandbox", "casino", "--hub", self.hub_url),
            self.cli.start("sandbox", "studio", "--join", CROUPIER_PORT=str(self.port)),
        )
        self._sides += [casino, studio]
        assert casino.stdout is not None
        assert studio.stdout is not None
        assert studio.stderr is not None
        casino_url = casino.stdout.readline().strip()
        self.cli.ok("casino", "set", "Aurora", f"url={casino_url}")
        secret = self.cli.json("casino", "secret", "rotate", "Aurora", "--now")["Secret"]
        post(f"{casino_url}/_sandbox/credentials", {"PartnerClientId": 11, "Secret": secret})
        self.studio_url = studio.stdout.readline().strip()
        told = studio.stderr.readline()
        assert "joined the hub" in told, told

    def open_session(self) -> None:
        words = ("--casino", "Aurora", "--player", "anna", "--currency", "EUR", "--game", "lantern-tumble")
        self.session = self.cli.json("session", "open", *words)["sessionId"]

    def bet(self, bet: str, game_round: str, *, win: str | None = None) -> int:
        """Play a bet of 10.00 of player anna, and return the code that the studio was told last."""
        asked = {"session": self.session, "bet": bet, "round": game_round}
        told = post(f"{self.studio_url}/_sandbox/call", {"verb": "pay-in", "amount": "10.00", **asked})
        if win is not None:
            told = post(f"{self.studio_url}/_sandbox/call", {"verb": "pay-out", "win": win, **asked})
        return int(told["told"]["_responseCode"])

    def stop_hub(self) -> list[Ran]:
        """Stop the hub that the first block started, if it still serves, and return what came of that block."""
        hub, self.hub = self.hub, None
        return [] if hub is None else hub.stop()

    def end(self) -> None:
        if self.hub is not None:
            self.hub.kill()
        for side in self._sides:
            end(side)


def _older(bet_id: int, by_ms: int) -> Callable[[World], Any]:
    """Let all rows of a bet be older, as a superuser, before the audit trail binds them."""

    async def work(world: World) -> None:
        async with world.lawless() as connection:
            for table, key, at in (
                ("ledger", "subject_id", "at_ms"), ("events", "subject_id", "at_ms"), ("bets", "bet_id", "created_ms"),
            ):  # fmt: skip
                await connection.execute(f"update {table} set {at} = {at} - {by_ms} where {key} = {bet_id}")
        trail = Trail(world.db, world.clock, SeededChance(3))
        for _ in range(3):
            await trail.bind()

    return work


@contextmanager
def web_server(answers: Callable[[BaseHTTPRequestHandler], None], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a server that answers every request with 200, after it was shown to `answers`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answers(self)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@contextmanager
def servers(stage: Stage) -> Iterator[None]:
    """What the page sends to: a webhook, a mail server, a casino that demands a certificate, a collector of traces."""
    tls = stage.folder / "tls"
    tls.mkdir()
    authority = Authority(tls, "aurora-ca")
    authority.certificate("aurora")
    (stage.folder / "mail-password").write_text("a password", "utf-8")

    def take(request: BaseHTTPRequestHandler) -> None:
        stage.hooks.append(request.rfile.read(int(request.headers["Content-Length"])))

    with (
        web_server(take) as hook, web_server(lambda _: None, authority.server(demands=True)) as casino,
        mail_server() as mail, collector() as seen,
    ):  # fmt: skip
        stage.collected = seen
        stage.places = {
            "webhook": hook, "casino": casino, "mail": f"127.0.0.1:{mail.port}", "collector": seen.url,
        }  # fmt: skip
        yield


@contextmanager
def ended(stage: Stage) -> Iterator[Stage]:
    """The stage; its processes end behind the tests."""
    try:
        yield stage
    finally:
        stage.end()

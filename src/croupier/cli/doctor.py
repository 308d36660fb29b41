"""`croupier doctor`: check everything and say what to do. Exit code 1 if something is wrong.

Owns: the list of checks. A check that cannot be made because an earlier one failed is left out. Never: changes
anything; where there is no home or no table it says so. Spec: operate.md 2.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import typer

from croupier.admin_api.keys import waiting
from croupier.admin_api.peer_urls import is_plain
from croupier.apps.backup import last_backup_s
from croupier.apps.schema import Aim, what_to_do
from croupier.apps.wiring import open_db, open_hub
from croupier.cli.running import AsJson
from croupier.cli.sentences import sentence
from croupier.cli.show import show_json, show_table
from croupier.core.counterparty import Casino, Provider
from croupier.flows.hub import Hub
from croupier.kit.clock import SystemClock
from croupier.kit.config import BadSettings, Settings, load
from croupier.kit.http import HttpWire
from croupier.kit.log import configure
from croupier.kit.seal import KeyFileRefused, SealBroken, load_or_make_key
from croupier.kit.tls_files import TlsFiles, TlsFilesWrong, load_tls
from croupier.kit.wire import PeerError, WireRequest
from croupier.store.db import Db
from croupier.store.embedded.server import NoHome, account_shared_by
from croupier.store.fitness import broken_promises, collation_moved, lacking
from croupier.store.migrate import MigrationError, is_empty, pending
from croupier.store.parties.key_rows import list_keys
from croupier.store.processes import Processes
from croupier.views.health import Health, health

HUB = "hub"
NOBODY = (
    "no process serves: casinos and providers get no answer, and what is owed waits. Run `croupier serve`, "
    "or start it again where it ran"
)
SKEW_MS = 1000
LATE_S = 30.0
BACKUP_H = 30
"""The age at which a nightly backup is late, in hours."""
PEER_S = 3.0
CERTIFICATE_DAYS = 14
"""The days before the end of a client certificate from which on doctor says so."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check with its result: `ok`, `look` (it works, but needs attention) or `wrong`."""

    name: str
    result: str
    says: str


def doctor(as_json: AsJson = False) -> None:
    """Check settings, key file, database, schema, clock, hub, queue, recovery and counterparties, and say what to do."""
    configure("error")
    checks = asyncio.run(_all())
    if as_json:
        show_json({"healthy": not _wrong(checks), "checks": checks})
    else:
        show_table("Health", ("", "result", "what was found"), [(c.name, c.result, c.says) for c in checks])
    if _wrong(checks):
        raise typer.Exit(1)


def _wrong(checks: Sequence[Check]) -> bool:
    return any(check.result == "wrong" for check in checks)


async def _all() -> list[Check]:
    try:
        loaded = load(os.environ)
    except BadSettings as bad:
        return [Check("settings", "wrong", problem) for problem in bad.problems]
    checks = [Check("settings", "ok", f"home {loaded.home.absolute()}"), _key(loaded), *_backup(loaded)]
    try:
        async with open_db(loaded, may_make=False) as db:
            checks += [check async for check in _database(db, loaded)]
        if all(check.result != "wrong" for check in checks if check.name != HUB):
            async with open_hub(loaded, aim=Aim.LOOK) as hub:
                checks += [_recovery(hub), await _rotations(hub)]
                checks += await _counterparties(hub, loaded)
    except NoHome as none:
        checks.append(Check("home", "wrong", sentence(none)))
    except KeyFileRefused as refused:
        checks.append(Check("key file", "wrong", sentence(refused)))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the doctor was asked for
        checks.append(Check("database", "wrong", sentence(error)))
    return checks


def _key(loaded: Settings) -> Check:
    if not loaded.key_path.exists():
        return Check("key file", "look", f"{loaded.key_path} is not there: the first start makes it, keep a copy then")
    try:
        load_or_make_key(loaded.key_path)
    except Exception as error:  # noqa: BLE001 - see _all
        return Check("key file", "wrong", sentence(error))
    return Check("key file", "ok", f"{loaded.key_path}: only you may read it")


def _backup(loaded: Settings) -> list[Check]:
    """Nothing is said of a home without a backup of ours: its database may be saved by other means."""
    made_s = last_backup_s(loaded)
    if made_s is None:
        return []
    hours = max(SystemClock().now_ms() / 1000 - made_s, 0) / 3600
    old = hours > BACKUP_H
    todo = ": see why the nightly one does not run (docs/OPERATIONS.md, Backup)" if old else ""
    return [Check("backup", "look" if old else "ok", f"the last one is {hours:.0f} h old{todo}")]


async def _database(db: Db, loaded: Settings) -> AsyncIterator[Check]:
    clock = SystemClock()
    kind = "the one of CROUPIER_DATABASE_URL" if loaded.database_url else "the embedded one of this home"
    offset_ms = await db.clock_offset_ms(clock)
    clock.offset_ms = offset_ms or 0
    shared = None if loaded.database_url else account_shared_by(loaded.home)
    todo = f"; its files belong to account {shared}, which other programs have too: `useradd --system croupier`, and restart"
    version = await db.fetchval("show server_version")
    yield Check("database", "look" if shared else "ok", f"PostgreSQL {version}, {kind}{todo if shared else ''}")
    schema = await _schema(db, loaded)
    yield schema
    lack = await lacking(db) if schema.result == "ok" else None
    if lack is not None:
        yield Check("rights", "wrong", lack)
    for promise in await broken_promises(db):
        yield Check("database", "look", promise)
    moved = await collation_moved(db)
    if moved is not None:
        yield Check("collation", "look", moved)
    yield _clock(offset_ms)
    if schema.result == "ok":
        found = await health(db, clock.now_ms())
        assert found is not None
        for check in _queue(found, len(await Processes(db, clock).serving())):
            yield check


async def _schema(db: Db, loaded: Settings) -> Check:
    try:
        missing = await pending(db)
    except MigrationError as error:
        return Check("schema", "wrong", sentence(error))
    if missing:
        return Check("schema", "wrong", what_to_do(loaded, missing, empty=await is_empty(db)))
    return Check("schema", "ok", "up to date")


def _clock(offset_ms: int | None) -> Check:
    if offset_ms is None:
        return Check("clock", "look", "the database answers too slowly to compare clocks with it")
    far = abs(offset_ms) > SKEW_MS
    return Check(
        "clock", "look" if far else "ok", f"the database is {offset_ms} ms ahead; the hub goes by the database"
    )


def _queue(found: Health, serving: int) -> list[Check]:
    queue = found.queue
    late = queue.oldest_due_s > LATE_S
    idle = queue.calls > 0 and not serving
    hint = ", and nobody makes them" if idle else ""
    waiting = f"{_count(queue.calls, 'call')}, {queue.due} due, the oldest for {queue.oldest_due_s:.0f} s{hint}"
    people = f"{_count(found.open_incidents, 'open incident')}, {_count(found.parked_payments, 'parked payment')}"
    looked = found.open_incidents or found.parked_payments
    return [
        Check(HUB, "ok", f"{serving} process{'es serve' if serving > 1 else ' serves'}")
        if serving
        else Check(HUB, "wrong", NOBODY),
        Check("queue", "look" if late or idle or queue.crashed else "ok", waiting),
        Check("incidents", "look" if looked else "ok", people + (": see `croupier incidents`" if looked else "")),
    ]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _recovery(hub: Hub) -> Check:
    if hub.state.recovery is None:
        return Check("recovery", "ok", "not on")
    why = f"{hub.state.recovery.why}. New bets get 503: see `croupier recover status`"
    return Check("recovery", "look", f"on, because {why}")


async def _rotations(hub: Hub) -> Check:
    """Check for casinos that still hold the key from before a rotation."""
    late = [f"{key.kid} signs for {', '.join(key.casinos)}" for key in waiting(await list_keys(hub.store.db))]
    if not late:
        return Check("signing keys", "ok", "every casino is signed for with the newest")
    todo = "until they fetch the key set with their bearer, or `croupier keys rotate --force`"
    return Check("signing keys", "look", f"old key {'; '.join(late)} {todo}")


async def _counterparties(hub: Hub, loaded: Settings) -> list[Check]:
    providers = await hub.store.providers.all()
    peers: list[Casino | Provider] = [*await hub.store.casinos.all(), *providers]
    wire = HttpWire(allow_private=loaded.allow_private_peers)
    try:
        reached = await asyncio.gather(*(_reach(wire, peer) for peer in peers if peer.takes_new))
    finally:
        await wire.close()
    mixed = [Check("casinos", "look", i.note) for i in await hub.store.incidents.open_ones() if i.name == "mixed_up"]
    sealed = [check for provider in providers if (check := await _opens(hub, provider)) is not None]
    return [*reached, *_plain(peers, loaded), *_certificates(peers), *mixed, *sealed]


async def _reach(wire: HttpWire, peer: Casino | Provider) -> Check:
    """Check that the peer answers. Any answer will do, because the request is not signed."""
    name = _name(peer)
    try:
        answer = await wire.send(WireRequest("GET", peer.url, connect_s=PEER_S, total_s=PEER_S, tls=_tls_files(peer)))
    except PeerError as error:
        if error.ours:
            return Check(name, "wrong", f"nothing can be sent to {peer.url}: {error.why}")
        return Check(name, "look", f"{peer.url} does not answer ({error.why}): is it up, and reachable from here?")
    return Check(name, "ok", f"{peer.url} is reachable (HTTP {answer.status}); its credentials were not tested")


def _plain(peers: Sequence[Casino | Provider], loaded: Settings) -> list[Check]:
    """Check for http addresses, left from when they were still accepted or private peers were allowed."""
    if loaded.allow_private_peers:
        return []
    todo = (
        "is plain http: anybody on the way can answer in its place. Give it https: `croupier {} set ID url=https://…`"
    )
    return [
        Check(_name(peer), "look", f"{peer.url} {todo.format(_kind(peer))}") for peer in peers if is_plain(peer.url)
    ]


def _tls_files(peer: Casino | Provider) -> TlsFiles:
    return TlsFiles(peer.client_cert, peer.client_key, peer.ca)


def _certificates(peers: Sequence[Casino | Provider]) -> list[Check]:
    """Check the client certificates that can be used: until when. What cannot be used is said of the peer."""
    checks = []
    for peer in peers:
        if peer.client_cert is None:
            continue
        if is_plain(peer.url):
            says = f"{peer.client_cert} is not used, because {peer.url} is plain http"
            checks.append(Check(_name(peer), "look", says))
            continue
        try:
            until_s = load_tls(_tls_files(peer)).expires_s
        except TlsFilesWrong as wrong:
            if not peer.takes_new:
                checks.append(Check(_name(peer), "wrong", f"nothing can be sent to {peer.url}: {wrong}"))
            continue
        assert until_s is not None
        days = int((until_s - SystemClock().now_ms() / 1000) // 86_400)
        soon = days < CERTIFICATE_DAYS
        says = f"the client certificate {peer.client_cert} expires in {_count(days, 'day')}"
        checks.append(Check(_name(peer), "look" if soon else "ok", says + (": put a new one there" if soon else "")))
    return checks


def _kind(peer: Casino | Provider) -> str:
    return "casino" if isinstance(peer, Casino) else "provider"


def _name(peer: Casino | Provider) -> str:
    return f"{_kind(peer)} {peer.name}"


async def _opens(hub: Hub, provider: Provider) -> Check | None:
    try:
        await hub.store.providers.secrets(provider.provider_id)
    except SealBroken:
        return Check(
            "key file", "wrong", f"it does not open the secret of provider {provider.name}: put the right one back"
        )
    return None

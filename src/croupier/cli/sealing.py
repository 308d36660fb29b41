"""`croupier keys reseal` and `croupier secrets renew`: another sealing key, and new secrets where the old key is lost.

Owns: the order in which file and database change, and the words. Never: the file's form (kit.key_file), the sealed
columns (store.sealed). Spec: operate.md 2.

Resealing: the new key stands first in the file before anything is sealed with it, and an old key leaves the file after
nothing is sealed with it any more. So every process can read everything at every moment, and a run that was
interrupted anywhere is begun again.
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from croupier.admin_api.errors import CommandError
from croupier.cli.keys import app as keys
from croupier.cli.running import AsJson, Author, said_for_the_books, settings, with_db, with_hub
from croupier.cli.show import note, say, show_json, show_table
from croupier.flows.hub import Hub
from croupier.flows.keep_trail import sign, vouch
from croupier.kit.key_file import KeyFileRefused, Ring, key_file_lock, new_key, read_ring, write_ring
from croupier.kit.seal import Sealer
from croupier.kit.settings import Settings
from croupier.kit.signed_lines import public_of
from croupier.store.db import Db
from croupier.store.parties.sealed import Renewal, Renewed, reseal

__all__ = ["app", "keys"]

app = typer.Typer(help="Renew every secret at once.")

SETTLE_S = 1.0
"""Seconds after which a value sealed with the old key is committed."""


@app.callback()
def group() -> None:
    """Renew every secret at once."""


@keys.command("reseal")
def reseal_all(as_json: AsJson = False) -> None:
    """Encrypt every secret in the database with a new key, while the hub runs. The old key then leaves the key file.

    The command may be interrupted and run again. Back up the key file afterwards.
    """

    async def work(hub: Hub, told: Settings) -> int:
        path = told.key_path
        with key_file_lock(path):
            ring = read_ring(path)
            if len(ring.keys) == 1:
                ring = Ring((new_key(), *ring.keys), ring.signed)
                write_ring(path, ring)
            moved = await _until_done(hub, Sealer.of_file(path))
            await sign(hub, 0)
            write_ring(path, _without_old(ring))
        return moved

    moved = with_hub(work)
    path = settings().key_path
    if as_json:
        show_json({"resealed": moved, "key_file": str(path)})
        return
    say(f"{moved} secrets are sealed with the new key in {path}.")
    note(
        "Back the key file up now, and copy it to every other machine of this hub: the old one opens nothing any more."
    )


async def _until_done(hub: Hub, sealer: Sealer) -> int:
    """Repeat until a pass finds nothing, a second after the one before. Return the number of resealed values."""
    moved, found = 0, 1
    while found:
        done = await reseal(hub.store.db, sealer)
        if done.broken:
            raise CommandError(
                f"no key opens {', '.join(done.broken[:5])}: the old key stays in the file. Give these counterparties new "
                "secrets, or see `croupier secrets renew`, then run this again"
            )
        await hub.clock.sleep(SETTLE_S)
        again = await reseal(hub.store.db, sealer)
        found = again.moved
        moved += done.moved + again.moved
    return moved


def _without_old(ring: Ring) -> Ring:
    """Return the newest key alone, with the public keys of earlier checkpoints."""
    public = tuple(public_of(seed) for seed in Sealer(*ring.keys).lineage("trail").older)
    return Ring(ring.keys[:1], (*public, *ring.signed))


@app.command()
def renew(
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Confirm. Every casino and provider stops until it has its new secret.")
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option("--reason", callback=said_for_the_books, help="The reason, which is stored with your name."),
    ] = None,
    author: Author,
    as_json: AsJson = False,
) -> None:
    """Replace a lost sealing key: make a new key, new secrets for every casino and provider, and new signing keys.

    Each secret is printed once. An existing key file is renamed, never deleted.
    """
    if not yes:
        raise typer.BadParameter(
            "this ends every secret, and no casino or provider reaches the hub until it has its new one. If the key "
            "file is in a backup, put it back instead. Say --yes if it is lost, or in wrong hands"
        )
    why = reason or "the sealing key is lost"

    async def there(db: Db) -> None:
        await db.fetchval("select 1")

    with_db(there)
    path = settings().key_path
    with key_file_lock(path):
        aside = _replace(path)
        renewed = with_hub(lambda hub, _: _renew(hub, author, why))
    _show(renewed, path, aside, as_json=as_json)


def _replace(path: Path) -> Path | None:
    """Write a new key in place of the file. Return the path of the renamed old file, or None."""
    if not path.exists():
        write_ring(path, Ring((new_key(),)))
        return None
    free = (path.with_name(f"{path.name}.renewed-{number}") for number in count(1))
    aside = next(one for one in free if not one.exists())
    os.link(path, aside)
    write_ring(path, Ring((new_key(),), _known_before(path)))
    return aside


def _known_before(path: Path) -> tuple[bytes, ...]:
    """Return the public keys of earlier checkpoints, as far as the file is readable."""
    try:
        before = read_ring(path)
    except (OSError, KeyFileRefused):
        return ()
    return _without_old(Ring((new_key(), *before.keys), before.signed)).signed


async def _renew(hub: Hub, author: str, why: str) -> Renewed:
    renewed = await Renewal(
        hub.store.db, Sealer.of_file(settings().key_path), clock=hub.clock, chance=hub.chance
    ).renew(author, why)
    await hub.store.keys.load()
    await vouch(hub, author, why)
    return renewed


def _show(renewed: Renewed, path: Path, aside: Path | None, *, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "casinos": [{"PartnerClientId": c.id, "name": c.name, "Secret": c.secret} for c in renewed.casinos],
                "providers": [{"CounterpartyId": p.id, "name": p.name, "Secret": p.secret} for p in renewed.providers],
                "revoked_keys": renewed.keys,
                "key_file": str(path),
                "old_key_file": None if aside is None else str(aside),
            }
        )
    else:
        show_table(
            "Casinos", ("PartnerClientId", "name", "Secret"), [(c.id, c.name, c.secret) for c in renewed.casinos]
        )
        show_table(
            "Providers", ("CounterpartyId", "name", "Secret"), [(p.id, p.name, p.secret) for p in renewed.providers]
        )
    note("Tell each its new secret now: none is shown again. Until then it is answered with 401, and its bets wait.")
    note(
        f"Have every casino fetch the key set again: {renewed.keys} signing keys were revoked, new ones sign from now on."
    )
    note(f"Back up the new key file {path}" + (f"; the one from before lies in {aside}." if aside else "."))

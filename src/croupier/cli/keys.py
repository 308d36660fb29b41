"""`croupier keys`, also `croupier casino keys`: the keys that sign calls to casinos and access tokens.

Owns: the words. Never: which key signs for whom (store.keys). Spec: operate.md 2, casino.md 1.4.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from croupier.admin_api.errors import CommandError
from croupier.cli.find import casino_of
from croupier.cli.running import AsCsv, AsJson, Author, said_for_the_books, with_hub, with_look
from croupier.cli.show import instant, note, say, show_json, show_list
from croupier.flows.hub import Hub
from croupier.kit.keys import ALGORITHMS
from croupier.kit.settings import Settings
from croupier.store.parties.key_rows import KeyRow, list_keys
from croupier.store.parties.keys import Revoked

app = typer.Typer(help="Manage the keys that sign calls to casinos.", no_args_is_help=False)

Kid = Annotated[str, typer.Argument(metavar="KID", help="The key's id, as `croupier keys list` shows it.")]


@app.command("list")
def list_(*, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show every key, past ones included, and the casinos for which it signs."""

    async def work(hub: Hub, _: Settings) -> list[KeyRow]:
        return await list_keys(hub.store.db)

    rows = with_look(work)
    if as_json:
        show_json([msgspec.to_builtins(row) for row in rows])
        return
    table = [(k.kid, k.alg, k.state, instant(k.created_ms), k.casinos, _why(k)) for k in rows]
    show_list("Signing keys", ("kid", "?alg", "state", "?made", "signs for", "?ended"), table, as_csv=as_csv)
    for row in waiting(rows):
        note(f"Old key {row.kid} signs until they have fetched the new set for: {', '.join(row.casinos)}.")


def waiting(rows: list[KeyRow]) -> list[KeyRow]:
    """Return the unfinished rotations: old keys that casinos still hold."""
    return [row for row in rows if row.state == "old" and row.casinos]


@app.command()
def rotate(
    which: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A casino, whose algorithm the new key gets.")
    ] = None,
    *,
    alg: Annotated[str | None, typer.Option("--alg", help="RS256, ES256 or EdDSA; RS256 by default.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Sign with the new key at once, for ID or for all casinos.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a new signing key. The old one signs for each casino until that casino has fetched the new key set."""
    if which is not None and alg is not None:
        raise typer.BadParameter("give a casino or --alg, not both")

    async def work(hub: Hub, _: Settings) -> dict[str, Any]:
        casino = None if which is None else await casino_of(hub, which)
        wanted = alg or (casino.alg if casino else "RS256")
        if wanted not in ALGORITHMS:
            raise CommandError(f"--alg must be one of {', '.join(ALGORITHMS)}, not {wanted[:20]!r}")
        kid = await hub.store.keys.rotate(wanted)
        moved = await hub.store.keys.force(casino.casino_id if casino else None) if force else 0
        left = {row.kid: list(row.casinos) for row in waiting(await list_keys(hub.store.db)) if row.alg == wanted}
        return {"kid": kid, "alg": wanted, "forced": moved, "waiting": left}

    made = with_hub(work)
    if as_json:
        show_json(made)
        return
    say(f"The new {made['alg']} key is {made['kid']}.")
    if force:
        say(f"It signs at once for {made['forced']} more casinos: be sure that they have the new key set.")
    for old, casinos in made["waiting"].items():
        say(f"Old key {old} still signs for {', '.join(casinos)}: `croupier keys list` shows when that is over.")


@app.command()
def revoke(
    kid: Kid,
    *,
    reason: Annotated[
        str | None,
        typer.Option("--reason", callback=said_for_the_books, help="The reason, which is stored with your name."),
    ] = None,
    author: Author,
    as_json: AsJson = False,
) -> None:
    """Revoke a leaked key: within a second its signatures are no longer accepted, and it signs nothing more.

    Casinos that it signed for get the newest key at once, seen or not: have them fetch the key set again.
    """

    async def work(hub: Hub, _: Settings) -> Revoked:
        return await hub.store.keys.revoke(kid, author=author, reason=reason or "no reason was given")

    done = with_hub(work)
    if as_json:
        show_json({"revoked": kid, "alg": done.alg, "already": done.already, "moved": done.moved, "kid": done.kid})
        return
    say(f"Key {kid} was revoked {'before' if done.already else 'now'}; {done.alg} is signed with {done.kid}.")
    note("Have every casino fetch the key set again and drop the revoked key: a casino that keeps it believes it.")


@app.command()
def retire(kid: Kid, as_json: AsJson = False) -> None:
    """Remove an old key from the key set, once it signs for no casino."""

    async def work(hub: Hub, _: Settings) -> None:
        await hub.store.keys.retire(kid)

    with_hub(work)
    if as_json:
        show_json({"retired": kid})
        return
    say(f"Key {kid} is no longer listed.")


def _why(row: KeyRow) -> str | None:
    if row.revoked_ms is not None:
        return f"{instant(row.revoked_ms)} by {row.revoked_by}: {row.revoke_reason}"
    return instant(row.retired_ms)

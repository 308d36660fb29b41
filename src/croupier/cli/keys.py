"""`croupier keys`, also `croupier casino keys`: the keys that sign calls to casinos and access tokens.

Owns: the options and the output. Never: the work (admin_api.keys). Spec: operate.md 2, casino.md 1.4.
"""

from __future__ import annotations

from typing import Annotated

import typer

from croupier.admin_api import keys
from croupier.admin_api.command import NoParams
from croupier.admin_api.keys import KeyParams, RevokeKeyParams, RotateKeyParams, waiting
from croupier.cli.running import AsCsv, AsJson, Author, ask, said_for_the_books
from croupier.cli.show import instant, note, say, show_json, show_list
from croupier.store.parties.key_rows import KeyRow

app = typer.Typer(help="Manage the keys that sign calls to casinos.", no_args_is_help=False)

Kid = Annotated[str, typer.Argument(metavar="KID", help="The key's id, as `croupier keys list` shows it.")]


@app.command("list")
def list_(*, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show every key, past ones included, and the casinos for which it signs."""
    rows = ask(keys.keys, NoParams())
    if as_json:
        show_json(rows)
        return
    table = [(k.kid, k.alg, k.state, instant(k.created_ms), k.casinos, _why(k)) for k in rows]
    show_list("Signing keys", ("kid", "?alg", "state", "?made", "signs for", "?ended"), table, as_csv=as_csv)
    for row in waiting(rows):
        note(f"Old key {row.kid} signs until they have fetched the new set for: {', '.join(row.casinos)}.")


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
    made = ask(keys.rotate, RotateKeyParams(casino=which, alg=alg, force=force))
    if as_json:
        show_json(made)
        return
    say(f"The new {made.alg} key is {made.kid}.")
    if force:
        say(f"It signs at once for {made.forced} more casinos: be sure that they have the new key set.")
    for old, casinos in made.waiting.items():
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
    wish = RevokeKeyParams(kid=kid) if reason is None else RevokeKeyParams(kid=kid, reason=reason)
    done = ask(keys.revoke, wish, author=author)
    if as_json:
        show_json(done)
        return
    say(f"Key {kid} was revoked {'before' if done.already else 'now'}; {done.alg} is signed with {done.kid}.")
    note("Have every casino fetch the key set again and drop the revoked key: a casino that keeps it believes it.")


@app.command()
def retire(kid: Kid, as_json: AsJson = False) -> None:
    """Remove an old key from the key set, once it signs for no casino."""
    done = ask(keys.retire, KeyParams(kid=kid))
    if as_json:
        show_json(done)
        return
    say(f"Key {kid} is no longer listed.")


def _why(row: KeyRow) -> str | None:
    if row.revoked_ms is not None:
        return f"{instant(row.revoked_ms)} by {row.revoked_by}: {row.revoke_reason}"
    return instant(row.retired_ms)

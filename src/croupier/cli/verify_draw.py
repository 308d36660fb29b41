"""`croupier verify-draw`: recompute a draw of the studio from its published proof. Spec: feed.md 4.2.

Owns: the three places a proof may come from: a file, the options, a running hub. Never: a trust in the hub: the check needs only the
proof. Exit codes: 0 the draw holds, 1 it does not or cannot be verified, 2 wrong usage.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Annotated

import typer

from croupier.admin_api.errors import CommandError
from croupier.cli.running import AsJson
from croupier.cli.secret_options import credentials_in, json_in
from croupier.cli.show import say, show_facts, show_json
from croupier.kit.http import HttpWire
from croupier.kit.strictjson import BadField, Json
from croupier.sandbox.draws.game import Results
from croupier.sandbox.draws.published import published_draw
from croupier.sandbox.draws.verify import Proof, problems, read_proof, recomputed
from croupier.sandbox.feed_access import FeedRefused

MAX_FILE = 1_000_000
EXAMPLE = (
    "Example: croupier verify-draw --draw 24/1 --seed "
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f --commitment "
    "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd --results 4,grey"
)
_DRAW = re.compile(r"([0-9]{1,10})/([0-9]{1,18})")

Source = Annotated[
    str | None,
    typer.Argument(
        metavar="[SOURCE]",
        help="A file with a published draw as JSON, - for standard input, or the address of a hub, whose games/info is asked.",
    ),
]
Draw = Annotated[str | None, typer.Option("--draw", metavar="TYPE/EDITION", help="Game type and edition, as 24/1.")]
Seed = Annotated[str | None, typer.Option("--seed", help="The seed that was published after the draw, in hex.")]
Commitment = Annotated[str | None, typer.Option("--commitment", help="The SHA-256 published before betting, in hex.")]
ResultsText = Annotated[str | None, typer.Option("--results", help="The published results, commas between.")]
Credentials = Annotated[
    Path | None, typer.Option("--credentials", help="For a hub: the file that `casino add --secret-file` wrote.")
]


def verify_draw(
    source: Source = None,
    *,
    draw: Draw = None,
    seed: Seed = None,
    commitment: Commitment = None,
    results: ResultsText = None,
    credentials: Credentials = None,
    as_json: AsJson = False,
) -> None:
    """Recompute a draw from its published proof and say whether it holds. Exit code 1 if it does not."""
    if source is None:
        proof = _given(draw, seed, commitment, results=_results(results))
    elif source.startswith(("http://", "https://")):
        proof = _proof_in(_asked(source, draw, credentials))
    else:
        proof = _proof_in(json_in(source, MAX_FILE))
    wrong = problems(proof)
    _show(proof, wrong, as_json=as_json)
    raise typer.Exit(1 if wrong else 0)


verify_draw.__doc__ = f"{verify_draw.__doc__}\n\n{EXAMPLE}"


def _given(draw: str | None, seed: str | None, commitment: str | None, *, results: Results | None) -> Proof:
    if draw is None or seed is None or commitment is None:
        raise typer.BadParameter("give a SOURCE, or all of --draw, --seed and --commitment")
    game_type, edition = _numbers(draw)
    return Proof(game_type, edition, commitment.lower(), seed.lower(), results)


def _numbers(draw: str) -> tuple[int, int]:
    """Game type and edition."""
    matched = _DRAW.fullmatch(draw)
    if matched is None:
        raise typer.BadParameter("--draw is a game type and an edition, as 24/1")
    return int(matched[1]), int(matched[2])


def _results(text: str | None) -> Results | None:
    """`4,grey` as a result: whole numbers are numbers."""
    items = [] if text is None else [item.strip() for item in text.split(",")]
    return tuple(int(item) if item.isascii() and item.isdigit() else item for item in items) or None


def _proof_in(document: Json) -> Proof:
    try:
        return read_proof(document)
    except BadField as problem:
        raise CommandError(f"this draw cannot be verified: {problem}") from None


def _asked(hub: str, draw: str | None, credentials: Path | None) -> Json:
    if credentials is None or draw is None:
        raise typer.BadParameter("a hub is asked with --draw and --credentials")
    game_type, edition = _numbers(draw)
    known = credentials_in(str(credentials))

    async def ask() -> Json:
        wire = HttpWire(allow_private=True)
        try:
            return await published_draw(wire, hub, known, game_type=game_type, edition=edition)
        finally:
            await wire.close()

    try:
        return asyncio.run(ask())
    except FeedRefused as problem:
        raise CommandError(f"the hub does not show this draw: {problem}") from None


def _show(proof: Proof, wrong: list[str], *, as_json: bool) -> None:
    facts = {
        "gameType": proof.game_type,
        "gameEdition": proof.edition,
        "commitment": proof.commitment,
        "seed": proof.seed,
        "published": proof.results,
        "recomputed": recomputed(proof),
    }
    if as_json:
        show_json({**facts, "holds": not wrong, "problems": wrong})
        return
    show_facts("Draw", facts)
    for problem in wrong:
        say(f"It does not hold: {problem}.")
    if not wrong and proof.results is None:
        say("The seed fits the commitment. No results were published.")
    elif not wrong:
        say("It holds: the seed fits the commitment, and the results follow from the seed.")

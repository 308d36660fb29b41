"""The verification of a draw: from its published proof to the same results, or to what does not hold.

Owns: the form of a proof, and its check. Never: a secret. Before the end of a draw its proof has no seed, and nothing can be verified.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from croupier.kit import strictjson
from croupier.kit.strictjson import BadField, Json, NumberText
from croupier.sandbox.draws.catalogue import DRAW_GAMES
from croupier.sandbox.draws.fairness import ALGORITHM, Stream, commitment
from croupier.sandbox.draws.game import Results

MOST_EDITION = 2**63 - 1
MOST_RESULTS = 1000
_HEX_256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Proof:
    """The published part of one finished draw. `results` is None if none were published, as for a cancelled draw."""

    game_type: int
    edition: int
    commitment: str
    seed: str
    results: Results | None


def results_of(seed: bytes, game_type: int, edition: int) -> Results:
    """Return the results that follow from a seed. Raises KeyError for an unknown game type."""
    return DRAW_GAMES[game_type].results(Stream(seed, game_type, edition))


def recomputed(proof: Proof) -> Results | None:
    """Return the results that follow from the proof; None if its seed or game type is unusable."""
    if proof.game_type not in DRAW_GAMES or not _HEX_256.fullmatch(proof.seed):
        return None
    return results_of(bytes.fromhex(proof.seed), proof.game_type, proof.edition)


def problems(proof: Proof) -> list[str]:
    """Return what does not hold, one clause each; an empty list means that the draw is verified."""
    if proof.game_type not in DRAW_GAMES:
        return [f"game type {proof.game_type} is none of {', '.join(map(str, DRAW_GAMES))}"]
    wrong = [
        f"the {name} is not 64 lower-case hex digits"
        for name, value in (("commitment", proof.commitment), ("seed", proof.seed))
        if not _HEX_256.fullmatch(value)
    ]
    if wrong:
        return wrong
    if commitment(bytes.fromhex(proof.seed)) != proof.commitment:
        wrong.append("the seed is not the one that the commitment was published for")
    if proof.results is not None and recomputed(proof) != proof.results:
        wrong.append("the results are not those that follow from the seed")
    return wrong


def read_proof(document: Json) -> Proof:
    """Return the proof in a published draw. Raises BadField.

    A draw is what the studio publishes, `{gameType, gameEdition, results, proof: {algorithm, commitment, seed}}`, or what
    `games/info` answers, an envelope with a `Value` in the short keys of feed.md 3.5: `{t, ge, res, proof}`.
    """
    draw = strictjson.record(document)
    if isinstance(draw.get("Value"), dict):
        draw = strictjson.mapping(draw, "Value")
    proof = strictjson.mapping(draw, "proof")
    if strictjson.text(proof, "algorithm") != ALGORITHM:
        raise BadField("algorithm", f"must be {ALGORITHM}")
    if proof.get("seed") is None:
        raise BadField("seed", "is not published yet: it comes with the results")
    return Proof(
        strictjson.integer(draw, _named(draw, "gameType", "t"), low=0, high=2**31 - 1),
        strictjson.integer(draw, _named(draw, "gameEdition", "ge"), low=0, high=MOST_EDITION),
        strictjson.text(proof, "commitment"),
        strictjson.text(proof, "seed"),
        read_results(draw, _named(draw, "results", "res")),
    )


def read_results(obj: strictjson.Record, field: str) -> Results | None:
    """Return the results of a draw, whole numbers and text; None if there are none. Raises BadField."""
    if not obj.get(field):
        return None
    return tuple(_result(item, field) for item in strictjson.listing(obj, field, MOST_RESULTS))


def _result(item: Json, field: str) -> int | str:
    if isinstance(item, NumberText) and item.isdigit():
        return int(item)
    if isinstance(item, str) and not isinstance(item, NumberText):
        return item
    raise BadField(field, "must hold whole numbers and text")


def _named(obj: strictjson.Record, *names: str) -> str:
    """The first of these fields that is there; for an error message the first of all."""
    return next((name for name in names if name in obj), names[0])

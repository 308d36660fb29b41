"""The proof of a round of a pot, and its recomputation from published values alone.

Owns: the check. Never: a trust in the hub that published it: commitment and hit amount are computed anew, and the shares are
added up in their order. Spec: decision 0050.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from croupier.core.jackpot import Pot, commitment, hit_amount
from croupier.core.money import format_amount

_SECRET = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class RoundProof:
    """What was published of a round that has ended. Amounts are minor units."""

    pot_id: int
    number: int
    currency: str
    seed: int
    ceiling: int
    commitment: str
    secret: str
    """In hex."""
    shares: Sequence[tuple[int, int]] = ()
    """The shares in their order: the bet, and what the pot gained, or lost for a stake that went back."""
    won_by: int | None = None
    """The bet that won it; None if the round ended without a stake."""
    amount: int = 0
    """The win."""


def hit_amount_of(proof: RoundProof) -> int | None:
    """Return the amount at which the round had to be won; None if the proof cannot be read."""
    readable = _SECRET.fullmatch(proof.secret) is not None and 0 <= proof.seed < proof.ceiling
    return hit_amount(_pot(proof), bytes.fromhex(proof.secret)) if readable else None


def problems_of(proof: RoundProof) -> list[str]:
    """Return what does not hold; empty if the round was fair."""
    hit = hit_amount_of(proof)
    if hit is None:
        return ["the secret is not 64 digits of lower-case hex, or the ceiling is not above the seed"]
    found = []
    if commitment(_pot(proof), bytes.fromhex(proof.secret)) != proof.commitment:
        found.append("the secret does not fit the commitment")
    return found + (_problems_of_win(proof, hit) if proof.won_by is not None else [])


def _problems_of_win(proof: RoundProof, hit: int) -> list[str]:
    amount = proof.seed
    for place, (bet_id, share) in enumerate(proof.shares):
        amount += share
        if amount >= hit:
            if place != len(proof.shares) - 1 or bet_id != proof.won_by:
                return [f"bet {bet_id} reached the hit amount, and bet {proof.won_by} was paid"]
            told, right = format_amount(proof.amount, proof.currency), format_amount(amount, proof.currency)
            return [] if amount == proof.amount else [f"the pot stood at {right}, and {told} was paid"]
    return ["the shares do not reach the hit amount"]


def _pot(proof: RoundProof) -> Pot:
    plain = Pot(proof.pot_id, "", proof.currency, 1, proof.seed, proof.ceiling)
    return replace(plain, number=proof.number, round_seed=proof.seed, round_ceiling=proof.ceiling)

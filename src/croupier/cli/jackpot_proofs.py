"""Rounds of a pot as `croupier jackpot` shows and reads them: one form for `show --json` and `verify --proof`.

Owns: that form. Never: the check itself (core.jackpot_proof). Spec: decision 0050.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from croupier.admin_api.errors import CommandError
from croupier.admin_api.jackpots import RoundRecord, RoundWithShares
from croupier.cli.show import instant, say, show_facts, show_json
from croupier.core.jackpot_proof import RoundProof, hit_amount_of, problems_of
from croupier.core.money import BadAmount, UnknownCurrency, format_amount, parse_amount
from croupier.kit import strictjson
from croupier.kit.strictjson import BadJson

MAX_FILE = 64_000_000


def round_facts(row: RoundRecord) -> dict[str, Any]:
    """Return a round for JSON and tables."""
    plain = msgspec.to_builtins(row)
    names = {"began_ms": "began", "ended_ms": "ended"}
    return {names.get(name, name): instant(value) if name in names else value for name, value in plain.items()}


def shares_facts(found: RoundWithShares) -> dict[str, Any]:
    """Return a round with its shares, as `verify` reads it."""
    shares = msgspec.to_builtins(found.shares)
    return {"name": found.name, "JackpotId": found.meter_ref, **round_facts(found.round), "shares": shares}


def read_document(proof: Path) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON of a file, or of standard input for `-`. Raises CommandError."""
    body = sys.stdin.buffer.read(MAX_FILE + 1) if str(proof) == "-" else proof.read_bytes()
    try:
        return strictjson.loads(body, max_bytes=MAX_FILE)
    except BadJson as problem:
        raise CommandError(f"{proof} holds no JSON: it is {problem.why}") from None


def read_proof(fields: Any) -> RoundProof:  # noqa: ANN401 - JSON
    """Return the proof in a document that `round_facts` made. Raises CommandError."""
    try:
        currency = str(fields["currency"])
        if fields["secret"] is None:
            raise CommandError(f"round {fields['round']} has not ended: its secret is published when it has")
        shares = tuple((int(str(one["bet"])), _signed(str(one["amount"]), currency)) for one in fields["shares"])
        return RoundProof(
            pot_id=int(str(fields["pot"])),
            number=int(str(fields["round"])),
            currency=currency,
            seed=parse_amount(str(fields["seed"]), currency),
            ceiling=parse_amount(str(fields["ceiling"]), currency),
            commitment=str(fields["commitment"]),
            secret=str(fields["secret"]),
            shares=shares,
            won_by=None if fields["won_by"] is None else int(str(fields["won_by"])),
            amount=parse_amount(str(fields["amount"]), currency),
        )
    except (KeyError, TypeError, ValueError, BadAmount, UnknownCurrency):
        raise CommandError("this is no round of a pot as `jackpot show POT --round N --json` prints it") from None


def check_proof(proof: RoundProof, *, as_json: bool) -> int:
    """Recompute, say the result, and return the exit code."""
    wrong, hit = problems_of(proof), hit_amount_of(proof)
    facts = {
        "pot": proof.pot_id,
        "round": proof.number,
        "commitment": proof.commitment,
        "secret": proof.secret,
        "hit_amount": None if hit is None else format_amount(hit, proof.currency),
        "won_by": proof.won_by,
        "amount": None if proof.won_by is None else format_amount(proof.amount, proof.currency),
    }
    if as_json:
        show_json({**facts, "holds": not wrong, "problems": wrong})
        return 1 if wrong else 0
    show_facts("Round", facts)
    for problem in wrong:
        say(f"It does not hold: {problem}.")
    if not wrong and proof.won_by is None:
        say("The secret fits the commitment. The round ended before any stake had fed it.")
    elif not wrong:
        say("It holds: the secret fits the commitment, and the share of the winning bet reached the hit amount first.")
    return 1 if wrong else 0


def _signed(text: str, currency: str) -> int:
    return -parse_amount(text[1:], currency) if text.startswith("-") else parse_amount(text, currency)

"""The hub's jackpot pots in a run: they are opened at its beginning, and judged at rest.

The judge plays the ledger again with fractions and its own draw: it knows which stake had to win which round, and what each pot has to
hold. Owns: these pots and that second implementation of decision 0050. Never: reads a rule of the hub.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any, Final

from croupier.core.jackpot import BadPot, Gathered, Pot, changed
from croupier.flows.jackpots import add_pot, change_pot
from croupier.simulator.dials import one_of
from croupier.simulator.judge import Judgement
from croupier.simulator.scene import Scene

FIRST_POT: Final = 101
"""The ids of pots are the same in every run of a seed; those of bets are far above."""

_POTS: Final = """
select p.*, r.contributed, r.seed as round_seed, r.ceiling as round_ceiling, p.carry::text as carried
from jackpots p join jackpot_rounds r on r.pot_id = p.pot_id and r.number = p.number order by p.pot_id"""
_ROUNDS: Final = "select * from jackpot_rounds where pot_id = $1 order by number"
_ENTRIES: Final = """
select l.entry_id, l.amount, l.source, l.target, b.bet_id, b.bet_ref, b.casino_id, b.game_id, e.state
from ledger l join bets b on b.bet_id = l.subject_id join events e on e.subject_id = l.subject_id and e.version = l.version
where l.currency = $1 and l.entry_id > $2 and split_part(l.source, '/', 1) in ('open-bets', 'ggr')
and split_part(l.target, '/', 1) in ('ggr', 'owed') order by l.entry_id"""
_WINS: Final = """
select r.pot_id, r.number, r.seed + r.contributed as prize, count(w.bet_id) as times, coalesce(sum(w.win), 0) as paid,
    bool_and(w.player_id = b.player_id) as same
from jackpot_rounds r left join bets b on b.bet_id = r.won_by
left join bets w on w.bet_ref = ' jackpot ' || r.pot_id || '/' || r.number
where r.state = 'won' group by 1, 2, 3 order by 1, 2"""

_ACCOUNTS: Final = """
select p.name, r.seed + r.contributed as held,
    (select coalesce(sum(case when l.target = 'jackpot/pot-' || p.pot_id then l.amount else -l.amount end), 0) from ledger l
        where 'jackpot/pot-' || p.pot_id in (l.source, l.target)) as booked,
    (select coalesce(sum(b.win), 0) from bets b join payments w on w.subject_id = b.bet_id and w.kind = 'jackpot'
        where b.bet_ref like ' jackpot ' || p.pot_id || '/%' and w.state = 'refused') as given_up
from jackpots p join jackpot_rounds r on r.pot_id = p.pot_id and r.number = p.number order by p.pot_id"""


async def open_pots(scene: Scene) -> None:
    """Open the pots of this world: small ones, which are won often, and for all or for one casino or game."""
    hub, chance = scene.stage.hubs[0].hub, scene.chance.branch("pots")
    for n in range(scene.dials.pots):
        seed = one_of(chance, (0, 500, 5_000))
        pot = Pot(
            pot_id=FIRST_POT + n,
            name=f"pot{n}",
            currency=one_of(chance, ("EUR", "EUR", "JPY", "KWD", "mBTC")),
            share_bp=one_of(chance, (2, 37, 250, 3_333, 5_000)),
            seed=seed,
            ceiling=seed + one_of(chance, (5, 40, 700, 6_000)),
            casino_ids=one_of(chance, (None, None, None, frozenset([min(scene.casinos)]))),
            game_ids=one_of(chance, (None, None, None, frozenset([scene.games[0]]))),
        )
        await add_pot(hub, pot, "sim")


async def lower_ceilings(scene: Scene) -> None:
    """Try to lower the ceiling of each pot below what it holds room for. It must be refused once a stake has fed the round."""
    for row in await scene.stage.db.fetch(_POTS):
        if not scene.stage.hubs or not row["contributed"]:
            continue
        try:
            await change_pot(scene.stage.hubs[0].hub, row["pot_id"], partial(_lowered, ceiling=row["ceiling"] - 1))
        except BadPot:
            scene.seen["pot ceiling kept"] += 1
            continue
        now = await scene.stage.db.fetchrow("select number from jackpots where pot_id = $1", row["pot_id"])
        if now is not None and now["number"] == row["number"]:
            scene.odd.append(f"I21: {row['name']} promised {row['ceiling']}, and its ceiling was lowered")


def _lowered(pot: Pot, ceiling: int) -> Gathered:
    return changed(pot, "sim", ceiling=ceiling)


# --- the judge ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class PotModel:
    """A pot as it has to be after the entries so far. Shares are fractions of a minor unit."""

    share: Fraction
    seed: int
    ceiling: int
    secrets: Mapping[int, str]
    """The published secrets by round."""
    pot_id: int
    number: int = 1
    amount: int = 0
    carry: Fraction = Fraction(0)
    inside: dict[int, tuple[int, Fraction]] = field(default_factory=dict)
    """Bet to its round and exact share."""
    won: list[tuple[int, int]] = field(default_factory=list)
    """Amount and bet of each round that was won."""

    def __post_init__(self) -> None:
        self.amount = self.seed

    def settled(self, bet_id: int, stake: int) -> None:
        """Take the share of a stake, and end the round if it reaches the hit amount."""
        if bet_id in self.inside:
            return
        exact = stake * self.share
        # Python rounds a fraction half to even.
        self._move(exact, min(max(round(self.carry + exact), 0), self.ceiling - self.amount))
        self.inside[bet_id] = self.number, exact
        hit = self._hit()
        if hit is not None and self.amount >= hit:
            self.won.append((self.amount, bet_id))
            self.number, self.amount = self.number + 1, self.seed

    def returned(self, bet_id: int) -> None:
        """Give the share of a stake back, unless its round was won."""
        number, exact = self.inside.get(bet_id, (0, Fraction(0)))
        if number == self.number:
            self.inside[bet_id] = 0, exact
            self._move(-exact, min(max(round(self.carry - exact), self.seed - self.amount), 0))

    def _move(self, exact: Fraction, whole: int) -> None:
        self.carry += exact - whole
        self.amount += whole

    def _hit(self) -> int | None:
        """Return the hit amount of the round; None if its secret is not published: it is not won yet."""
        secret = self.secrets.get(self.number)
        if secret is None:
            return None
        room, block = self.ceiling - self.seed, 0
        while True:
            label = f"croupier-jackpot-v1:{self.pot_id}:{self.number}:{block}".encode()
            word = int.from_bytes(hmac.new(bytes.fromhex(secret), label, hashlib.sha256).digest()[:8], "big")
            if word < 2**64 // room * room:
                return self.seed + 1 + word % room
            block += 1


async def judge_pots(scene: Scene, verdict: Judgement) -> None:
    """I21: each pot holds what the ledger's stakes give, each round was won by the right stake, and each win is paid once."""
    db = scene.stage.db
    for row in await db.fetch(_POTS):
        rounds = await db.fetch(_ROUNDS, row["pot_id"])
        _judge_commitments(row, rounds, verdict)
        entries = await db.fetch(_ENTRIES, row["currency"], row["fed_after"])
        _judge_pot(row, rounds, _played(row, rounds, entries), verdict=verdict)
        late = [e["bet_ref"] for e in entries if e["entry_id"] > row["upto_id"] and e["target"].startswith("ggr")]
        if late:
            verdict.wrong("I21", f"{row['name']} has not read {', '.join(late[:5])}")
    for win in await db.fetch(_WINS):
        name = f"pot {win['pot_id']} round {win['number']}"
        if (win["times"], win["paid"], win["same"]) != (1, win["prize"], True):
            verdict.wrong("I21", f"{name} won {win['prize']}, and {win['paid']} is paid in {win['times']} bets")


async def judge_pot_accounts(scene: Scene, verdict: Judgement) -> None:
    """I21: a pot's account holds its current round, and the wins of it that a person gave up."""
    for row in await scene.stage.db.fetch(_ACCOUNTS):
        if row["booked"] != row["held"] + row["given_up"]:
            verdict.wrong(
                "I21",
                f"{row['name']} has {row['booked']} booked, holds {row['held']}, and {row['given_up']} of it was given up",
            )


def _played(row: Any, rounds: list[Any], entries: list[Any]) -> PotModel:  # noqa: ANN401 - rows
    secrets = {r["number"]: r["secret"] for r in rounds if r["secret"] is not None}
    model = PotModel(Fraction(row["share_bp"], 10_000), row["seed"], row["ceiling"], secrets, row["pot_id"])
    for entry in entries:
        if entry["entry_id"] > row["upto_id"]:
            break
        if entry["target"].startswith("ggr") and entry["source"].startswith("open-bets"):
            here = row["casino_ids"] is None or entry["casino_id"] in row["casino_ids"]
            if here and (row["game_ids"] is None or entry["game_id"] in row["game_ids"]):
                model.settled(entry["bet_id"], entry["amount"])
        elif entry["state"] == "returned" and entry["source"].startswith("ggr"):
            model.returned(entry["bet_id"])
    return model


def _judge_pot(row: Any, rounds: list[Any], model: PotModel, *, verdict: Judgement) -> None:  # noqa: ANN401 - rows
    won = [(r["seed"] + r["contributed"], r["won_by"]) for r in rounds if r["state"] == "won"]
    if won != model.won:
        places = [n for n, (is_, should) in enumerate(zip(won, model.won, strict=False), 1) if is_ != should]
        verdict.wrong(
            "I21", f"{row['name']} was won {len(won)} times, and should be {len(model.won)} times; differs in {places}"
        )
        return
    holds, carries = row["round_seed"] + row["contributed"], Fraction(int(row["carried"]), 10_000)
    if (holds, carries) != (model.amount, model.carry):
        verdict.wrong(
            "I21", f"{row['name']} holds {holds} and {carries}, and should hold {model.amount} and {model.carry}"
        )


def _judge_commitments(row: Any, rounds: list[Any], verdict: Judgement) -> None:  # noqa: ANN401 - rows
    published = [r["secret"] for r in rounds if r["secret"] is not None]
    if len(set(published)) < len(published):
        verdict.wrong("I21", f"{row['name']} published one secret for two rounds: the second could be foretold")
    for r in rounds:
        told = f"croupier-jackpot-v1:{r['pot_id']}:{r['number']}:{r['seed']}:{r['ceiling']}:{row['currency']}:{r['secret']}"
        if r["secret"] is not None and hashlib.sha256(told.encode()).hexdigest() != r["commitment"]:
            verdict.wrong("I21", f"{row['name']} round {r['number']} published a secret that it had not committed to")

"""Plants of kinds that the earlier tables lack: wrong columns and versions in the store, lists read in part, calls for a person under
a wrong name or number, comparisons that are not made, and the draw, booking and payment of pots.
"""

from __future__ import annotations

from tests.plants.planting import Plant, plant_of

_EFFECTS = "croupier.core.effects"
_COMPARE = "croupier.core.reconciliation"
_JACKPOT = "croupier.core.jackpot"
_DISPATCHER = "croupier.flows.dispatcher"
_ACCEPT = "croupier.flows.accept_payment"
_POTS = "croupier.store.money.jackpots"
_ROWS = "croupier.store.money.rows"
_TRAIN = "croupier.store.money.group_commit"
_RECONCILER = "croupier.flows.reconciler"
_RECONCILE = "croupier.flows.reconcile"
_OUTCOMES = "croupier.core.outcomes"
_CASINO_CODEC = "croupier.casinos.betcore_v2.codec"
_PROVIDER_WORDS = "croupier.providers.betcore_v1.outcomes"
_CASINO_ROUTES = "croupier.casinos.betcore_v2.routes"


_MONEY = (
    plant_of(
        "refund-out-of-the-revenue",
        "the stake of a refunded bet comes out of the revenue and stays in open-bets",
        _EFFECTS,
        old="    source = ledger.open_bets(bet.casino_id, bet.provider_id)\n",
        new="    source = ledger.ggr(bet.casino_id, bet.provider_id)\n",
        expected="I13 I20",
    ),
    plant_of(
        "jackpot-paid-twice-out-of-its-pot",
        "a paid jackpot win comes out of its pot a second time and stays owed",
        _EFFECTS,
        old='    d.book(ledger.owed(bet.casino_id), ledger.wallets(bet.casino_id), amount, why="paid")',
        new='    d.book(jackpot_account(bet), ledger.wallets(bet.casino_id), amount, why="paid")',
        expected="I1 owed",
    ),
    plant_of(
        "query-without-its-time",
        "the time of a query is not passed on, so that no list ever proves a stake absent",
        _DISPATCHER,
        old="await self._apply_answers([leased_call], step, reading, asked_ms=asked_ms)",
        new="await self._apply_answers([leased_call], step, reading)",
        expected="I4",
    ),
    plant_of(
        "cancel-sought-among-the-bets",
        "the accept of a cashback's cancel is sought among the bets, and never found",
        _ACCEPT,
        old="    cashback = kind in (PaymentKind.CASHBACK, PaymentKind.CASHBACK_CANCEL)",
        new="    cashback = kind is PaymentKind.CASHBACK",
        expected="I4",
    ),
    plant_of(
        "only-the-first-line-read",
        "of the payments that a casino lists only the first is read",
        _CASINO_CODEC,
        old="for element in elements))",
        new="for element in elements[:1]))",
        expected="incidents reconciliation",
    ),
    plant_of(
        "cashback-accept-read-as-of-a-bet",
        "the accept of a cashback is read as that of a bet, and answered as unreadable",
        _CASINO_ROUTES,
        old='"cashback-payments/accept": partial(_accept, subject=CASHBACKS)',
        new='"cashback-payments/accept": partial(_accept, subject=BETS)',
        expected="I4",
    ),
    plant_of(
        "limit-told-as-no-funds",
        "a bet above its limit is refused as if the player had no funds",
        _PROVIDER_WORDS,
        old="Refusal.LIMIT: WireOutcome(4, 403)",
        new="Refusal.LIMIT: WireOutcome(3, 402)",
        expected="I9",
    ),
)

_STORED = (
    plant_of(
        "acknowledgement-not-stored",
        "an acknowledgement is not stored, so that a missing accept counts as no failure",
        _ROWS,
        old='("acked", "boolean", True)',
        new='("acked", "boolean")',
        expected="I17 incidents",
    ),
    plant_of(
        "heard-outcomes-not-stored",
        "the outcomes that were heard of a payment are stored only with its first row",
        _ROWS,
        old='("heard", "text", True)',
        new='("heard", "text")',
        expected="incidents",
    ),
    plant_of(
        "close-not-stored",
        "the close of a bet is not stored, so that a payment goes to it without its reopening",
        _ROWS,
        old='("closing", "text", True, Closing)',
        new='("closing", "text", False, Closing)',
        expected="I4",
    ),
    plant_of(
        "standing-stake-not-stored",
        "a stake that stands in open-bets is not marked so in its row, and its return comes out of suspense",
        _ROWS,
        old='("was_on", "boolean", True)',
        new='("was_on", "boolean")',
        expected="I1 I13 I20",
    ),
    plant_of(
        "entries-of-the-version-before",
        "the entries of a decision carry the version before it",
        _TRAIN,
        old="decision.author, after.version, now_ms)\n        )\n    detail",
        new="decision.author, max(after.version - 1, 0), now_ms)\n        )\n    detail",
        expected="archive I21",
    ),
    plant_of(
        "time-of-an-outcome-not-stored",
        "the time of an outcome is not stored, so that no payment moves the balance that is told",
        _ROWS,
        old='("decided_ms", "bigint", True)',
        new='("decided_ms", "bigint")',
        expected="archive",
    ),
)

_PERSONS = (
    plant_of(
        "every-number-a-difference",
        "a payment that is listed under its own number calls a person, and one under another number does not",
        _COMPARE,
        old="payment.partner_tx not in numbers:",
        new="payment.partner_tx in numbers:",
        expected="I2 reconciliation",
    ),
    plant_of(
        "payout-listed-counts-as-taken",
        "each paid win is a difference, because the casino's list is summed as if the player had paid it",
        _COMPARE,
        old="    return sum(amount if kind in GIVES else -amount for kind, amount in amounts)",
        new="    return sum(-amount if kind in GIVES else -amount for kind, amount in amounts)",
        expected="I2 reconciliation",
    ),
    plant_of(
        "reconciler-works-without-its-lease",
        "the process that holds the lease compares nothing",
        _RECONCILER,
        old="        return self._hub.clock.monotonic_s() < self._lease_until_s",
        new="        return self._hub.clock.monotonic_s() > self._lease_until_s",
        expected="reconciliation",
    ),
    plant_of(
        "casino-compared-only-once",
        "after its first round a casino counts as busy, and is not compared again",
        _RECONCILER,
        old="        task.add_done_callback(lambda _: self._looking.pop(casino.casino_id, None))\n",
        new="",
        expected="reconciliation",
    ),
    plant_of(
        "difference-called-under-another-number",
        "a person is called for a difference under the number of the casino instead of the bet",
        _RECONCILE,
        old='raise_for(bet_id, "difference"',
        new='raise_for(casino_id, "difference"',
        expected="incidents",
    ),
    plant_of(
        "parked-under-the-name-of-a-failure",
        "a person is told of five failures when a payment is parked for another reason",
        _OUTCOMES,
        old='d.incident("parked", f"{kind.value}: {why}")',
        new='d.incident("not_accepted", f"{kind.value}: {why}")',
        expected="incidents",
    ),
    plant_of(
        "kept-payout-called-a-contradiction",
        "a payout that its casino keeps calls a person under the name of another matter",
        _EFFECTS,
        old='d.incident("payout_kept"',
        new='d.incident("contradiction"',
        expected="incidents I4",
    ),
)

_ROUNDS = (
    plant_of(
        "pot-carry-of-a-return-with-the-wrong-sign",
        "the remainder of a share that leaves a pot is added to what the pot is still to get",
        _JACKPOT,
        old="one.stake.direction is Direction.IN else -one.parts",
        new="one.stake.direction is Direction.IN else one.parts",
        expected="I21",
    ),
    plant_of(
        "pot-books-only-its-last-share",
        "of several shares that a pot gains in one step only the last is booked",
        _JACKPOT,
        old="        sums[key] = sums.get(key, 0) + abs(one.amount)",
        new="        sums[key] = abs(one.amount)",
        expected="I21",
    ),
    plant_of(
        "pot-remainder-lost-with-its-round",
        "what is less than a minor unit is lost when a round is won",
        _JACKPOT,
        old="round_ceiling=pot.ceiling, contributed=0)",
        new="round_ceiling=pot.ceiling, contributed=0, carry=0)",
        expected="I21",
    ),
    plant_of(
        "pot-pays-without-its-seed",
        "the winner of a round gets the shares in the pot and not its seed",
        _POTS,
        old="select r.pot_id, r.number, r.seed + r.contributed as amount",
        new="select r.pot_id, r.number, r.contributed as amount",
        expected="I21",
    ),
    plant_of(
        "pot-won-by-the-first-of-its-step",
        "a round is won by the first stake that is read with the winning one",
        _JACKPOT,
        old="Win(now.number, now.amount, stake.bet_id)",
        new="Win(now.number, now.amount, found[0].stake.bet_id)",
        expected="I21",
    ),
    plant_of(
        "pot-drawn-without-its-round",
        "the hit amount of a round does not depend on its number",
        _JACKPOT,
        old='label = f"{LABEL}:{pot.pot_id}:{pot.number}:{block}"',
        new='label = f"{LABEL}:{pot.pot_id}:{block}"',
        expected="I21",
    ),
    plant_of(
        "pot-shares-booked-backwards",
        "the shares of a pot are booked out of it",
        _JACKPOT,
        old='if direction == "in" else (pot.account, share)',
        new='if direction == "back" else (pot.account, share)',
        expected="I1 I21",
    ),
    plant_of(
        "pot-gives-back-with-every-win",
        "each win of a bet takes the share of its stake out of the pots again",
        _POTS,
        old=" and e.version = l.version and e.state = 'returned'))",
        new=" and e.version = l.version))",
        expected="I21",
    ),
)

LAST: tuple[Plant, ...] = (*_MONEY, *_STORED, *_PERSONS, *_ROUNDS)

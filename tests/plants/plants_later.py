"""Plants of modules that had few of them, and of what the simulator has judged since the earlier tables.

That is: calls for a person and comparisons, two tries of a payment under way, claims, proofs, balances told, numbers of casinos, pots.
"""

from __future__ import annotations

from tests.plants.planting import Plant, plant_of

_REQUESTS = "croupier.core.bet_requests"
_EFFECTS = "croupier.core.effects"
_OUTCOMES = "croupier.core.outcomes"
_WAITS = "croupier.core.waits"
_JACKPOT = "croupier.core.jackpot"
_COMPARE = "croupier.core.reconciliation"
_CASHBACK = "croupier.core.cashback_effects"
_DRAFT = "croupier.core.draft"
_PAY_OUT = "croupier.flows.pay_out"
_AWARDS = "croupier.flows.jackpots"
_PROVIDER_WORDS = "croupier.providers.betcore_v1.outcomes"
_RECONCILE = "croupier.flows.reconcile"
_ROWS = "croupier.store.money.rows"
_TRAIN_SQL = "croupier.store.money.group_commit_sql"
_TRAIN = "croupier.store.money.group_commit"
_BALANCES = "croupier.store.money.balances"
_POTS = "croupier.store.money.jackpots"
_COMPARISONS = "croupier.store.oversight.comparisons"
_MEMORY = "croupier.store.parties.session_memory"
_PROVIDER_CODEC = "croupier.providers.betcore_v1.codec"
_PROVIDER_ROUTES = "croupier.providers.betcore_v1.routes"
_CASINO_CODEC = "croupier.casinos.betcore_v2.codec"
_GGR = "croupier.views.ggr"
_WIRING = "croupier.apps.wiring"
_SETTINGS = "croupier.kit.settings"


_MONEY = (
    plant_of(
        "late-stake-into-owed",
        "a stake that comes too late is booked as owed, and goes back out of suspense",
        _EFFECTS,
        old='ledger.suspense(bet.casino_id), bet.stake, why="accepted_late")',
        new='ledger.owed(bet.casino_id), bet.stake, why="accepted_late")',
        expected="I1 owed",
    ),
    plant_of(
        "stake-after-the-take-back-not-owed",
        "a payout is taken back, and the stake that goes back then was never booked as owed",
        _EFFECTS,
        old='    d.book(ggr, ledger.owed(bet.casino_id), bet.stake, why="return_decided")\n'
        "    move(d, BetEvent.PAYOUT_TAKEN_BACK)\n    d.set(",
        new="    move(d, BetEvent.PAYOUT_TAKEN_BACK)\n    d.set(",
        expected="I13 I20 owed",
    ),
    plant_of(
        "jackpot-without-tax",
        "the casino is told no tax with a jackpot win",
        _REQUESTS,
        old="owe(d, PaymentKind.JACKPOT, bet.win, tax=tax_due(d, bet.win))",
        new="owe(d, PaymentKind.JACKPOT, bet.win, tax=None)",
        expected="I2",
    ),
    plant_of(
        "returned-stake-is-taxed",
        "a stake that goes back is taxed as if it were a win",
        _EFFECTS,
        old="    owe(d, kind, d.subject.stake, tax=None)",
        new="    owe(d, kind, d.subject.stake, tax=tax_due(d, d.subject.stake))",
        expected="I2",
    ),
    plant_of(
        "tax-of-nothing-left-out",
        "a tax of 0 is not told, so that the casino takes its own",
        _CASINO_CODEC,
        old="    if order.tax is None and order.promo_code",
        new="    if not order.tax and order.promo_code",
        expected="I2",
    ),
    plant_of(
        "win-told-as-its-tax",
        "the whole win is told to the casino as the tax to withhold",
        _CASINO_CODEC,
        old="None if order.tax is None else format_amount(order.tax, order.currency)",
        new="None if order.tax is None else format_amount(order.amount, order.currency)",
        expected="I3 I7",
    ),
    plant_of(
        "cancel-of-a-paid-cashback-not-sent",
        "the cancel of a cashback that is paid is never sent",
        _CASHBACK,
        old="        take_back(d)\n        return\n",
        new="        return\n",
        expected="I4",
    ),
    plant_of(
        "done-call-takes-the-others-along",
        "with a call that is done all other calls of its bet are deleted",
        _TRAIN_SQL,
        old="    and c.subject_id = i.subject_id and c.slot = i.slot)",
        new="    and c.subject_id = i.subject_id)",
        expected="I10 I4",
    ),
    plant_of(
        "lease-shorter-than-a-call",
        "a payment is sent a second time while its first try is under way",
        _SETTINGS,
        old="lease_s: float = setting(15.0,",
        new="lease_s: float = setting(1.5,",
        expected="I17",
    ),
    plant_of(
        "failures-not-stored",
        "the failures of a call are not stored, so nobody is called and nothing slows down",
        _ROWS,
        old='("failures", "integer", True)',
        new='("failures", "integer")',
        expected="I17 incidents",
    ),
    plant_of(
        "proof-without-the-life-of-a-make",
        "a list proves a stake absent while its last make may still be booked",
        _WAITS,
        old="hold_s + self.envelope_s + self.skew_s)",
        new="hold_s + self.skew_s)",
        expected="I2",
    ),
    plant_of(
        "number-not-reserved",
        "the number that a casino gave a payment is not reserved, so that another payment may have it too",
        _TRAIN,
        old="    for payment in decision.named:",
        new="    for payment in decision.named[1:]:",
        expected="I5",
    ),
    plant_of(
        "number-of-the-payment-not-kept",
        "the casino's number of an accepted payment is forgotten, so that a second booking is no contradiction",
        _OUTCOMES,
        old="    d.pay(payment.kind, PaymentEvent.ACCEPT, partner_tx=said.partner_tx)",
        new="    d.pay(payment.kind, PaymentEvent.ACCEPT)",
        expected="I5 incidents",
    ),
    plant_of(
        "tax-not-compared",
        "a yes that names another tax is taken for a yes",
        _OUTCOMES,
        old="    if _tax_stated(said) and not same_amount(",
        new='    if said.tax == "" and not same_amount(',
        expected="I2 incidents",
    ),
    plant_of(
        "refusal-with-all-fields-read-as-yes",
        "a refusal that names every fact of the payment is taken for its yes",
        _CASINO_CODEC,
        old="    if told is None or told.error_code != SUCCESS:",
        new="    if told is None:",
        expected="I5 incidents",
    ),
    plant_of(
        "close-in-flight-overtaken",
        "a payment leaves while a close of its bet is on its way, and comes to a closed bet",
        _EFFECTS,
        old="d.subject.closing in (Closing.CLOSING, Closing.CLOSED)",
        new="d.subject.closing is Closing.CLOSED",
        expected="I4",
    ),
    plant_of(
        "event-of-the-state-before",
        "the trace of a bet names with each event the state that it has left",
        _TRAIN,
        old="now_ms, decision.event, after.state.value, detail",
        new="now_ms, decision.event, (decision.before or after).state.value, detail",
        expected="archive I21",
    ),
    plant_of(
        "revenue-grows-by-what-was-won",
        "wins raise the revenue that the report shows",
        _GGR,
        old="when e.source like 'ggr/%' then -e.amount",
        new="when e.source like 'ggr/%' then e.amount",
        expected="I20",
    ),
)

_ANSWERS = (
    plant_of(
        "pay-in-out-wins-its-stake",
        "the win of a pay-in-out is read from the field of its stake",
        _PROVIDER_CODEC,
        old='        win=_read_amount(obj, "winAmount"),',
        new='        win=_read_amount(obj, "betAmount"),',
        expected="I3",
    ),
    plant_of(
        "pay-in-out-taken-for-a-pay-in",
        "a pay-in-out is read as a pay-in, and its win is never owed",
        _PROVIDER_ROUTES,
        old="codec.read_pay_in_out(provider_id,",
        new="codec.read_pay_in(provider_id,",
        expected="I3 I9",
    ),
    plant_of(
        "any-game-pays-jackpots",
        "a pay-out without a bet is paid as a jackpot win in every game",
        _PAY_OUT,
        old="    if bet is None and session.jackpot_wins:",
        new="    if bet is None and win:",
        expected="I3 I9",
    ),
    plant_of(
        "refund-answer-not-kept",
        "a refund is told yes and its answer is not stored",
        _REQUESTS,
        old='    d.set(refund_answer=OK)\n    d.tell("refund")',
        new='    d.tell("refund")',
        expected="I3 reconciliation",
    ),
    plant_of(
        "jackpot-answer-not-kept",
        "the yes to a jackpot win is not stored",
        _REQUESTS,
        old="    d.set(state=BetState.SETTLED, pay_out_answer=OK, ended_ms=terms.now_ms)",
        new="    d.set(state=BetState.SETTLED, ended_ms=terms.now_ms)",
        expected="I3 reconciliation",
    ),
    plant_of(
        "pay-in-answer-not-kept",
        "a pay-in is told yes and its answer is not stored",
        _EFFECTS,
        old="    d.set(pay_in_answer=OK, waiting_until_ms=None)",
        new="    d.set(waiting_until_ms=None)",
        expected="I6 reconciliation",
    ),
    plant_of(
        "claim-counted-from-the-request",
        "the time to claim a late stake is counted from its request, so it goes back before anybody can claim it",
        _EFFECTS,
        old="due = d.terms.waits.after_ms(d.terms.now_ms, d.terms.provider.claim_s)",
        new="due = d.terms.waits.after_ms(bet.created_ms, d.terms.provider.claim_s)",
        expected="I3",
    ),
    plant_of(
        "conflict-told-as-refused",
        "a request with other contents of a bet that is on is told as refused by the casino",
        _PROVIDER_WORDS,
        old="Refusal.CONFLICT: WireOutcome(7, 409)",
        new="Refusal.CONFLICT: WireOutcome(4, 403)",
        expected="I6 I9",
    ),
    plant_of(
        "body-not-in-the-digest",
        "the id of a request may come again with another body, because its digest is of the path alone",
        _PROVIDER_ROUTES,
        old='{request.path}\\n".encode() + inbound.body).digest()',
        new='{request.path}\\n".encode()).digest()',
        expected="I3 I9",
    ),
    plant_of(
        "payment-begun-during-the-question-ignored",
        "a payment that began while the casino was asked may be in its word, and is added again",
        _BALANCES,
        old="p.created_ms <= k.heard_ms",
        new="p.created_ms <= k.asked_ms",
        expected="I3",
    ),
    plant_of(
        "player-change-by-a-command-unseen",
        "a block of a player, or its end, does not reach the process that remembers the session",
        _MEMORY,
        old=" or s.player_id in named[1] or",
        new=" or",
        expected="limits",
    ),
    plant_of(
        "game-change-by-a-command-unseen",
        "a limit or switch of a game does not reach the process that remembers the session",
        _MEMORY,
        old=" or s.game_id in named[2])",
        new=")",
        expected="limits",
    ),
)

_PERSONS = (
    plant_of(
        "called-after-three-tries",
        "a person is called after three failed tries, when the casino is only slow",
        _SETTINGS,
        old="incident_after: int = setting(5,",
        new="incident_after: int = setting(3,",
        expected="incidents",
    ),
    plant_of(
        "called-after-thirty-days",
        "a person is called for owed money only when its schedule is used up",
        _OUTCOMES,
        old="    if failures == terms.waits.incident_after:",
        new="    if due is None:",
        expected="incidents",
    ),
    plant_of(
        "parked-after-five-minutes",
        "what a casino is owed is parked after five minutes instead of thirty days",
        _WIRING,
        old="park_after_s=settings.park_after_s",
        new="park_after_s=settings.then_every_s",
        expected="I4 I7 incidents",
    ),
    plant_of(
        "parked-payment-keeps-its-call",
        "a payment that waits for a person keeps its call, and has no time of its end",
        _DRAFT,
        old="PaymentEvent.EXPIRE, PaymentEvent.PARK)",
        new="PaymentEvent.EXPIRE)",
        expected="I11",
    ),
    plant_of(
        "difference-calls-nobody",
        "a difference between the books is stored, and nobody is called",
        _RECONCILE,
        old="if before is None or (before.closed_ms is not None",
        new="if before is not None and (before.closed_ms is not None",
        expected="reconciliation",
    ),
    plant_of(
        "forgotten-booking-unseen",
        "a casino that forgets what it had booked is never found out",
        _COMPARE,
        old="    if payment.state is PaymentState.ACCEPTED and _surely_listed",
        new="    if payment.state is PaymentState.PARKED and _surely_listed",
        expected="reconciliation",
    ),
    plant_of(
        "own-return-unseen",
        "a return that the casino made by itself is no difference, and the player has both",
        _COMPARE,
        old="for one in lines[:1]]",
        new="for one in lines[1:]]",
        expected="incidents reconciliation",
    ),
    plant_of(
        "every-refund-a-difference",
        "each bet that was refunded calls a person, though all books agree",
        _COMPARE,
        old="    if bet.refund_answer == OK:\n        return 0\n",
        new="",
        expected="reconciliation",
    ),
    plant_of(
        "sample-never-compared",
        "bets of which a try went unanswered are not compared when they are over",
        _COMPARISONS,
        old="        rows += await self._db.fetch(_WANTED, *args)\n",
        new="",
        expected="reconciliation",
    ),
    plant_of(
        "comparison-asked-for-ever",
        "a bet that agrees with its casino is compared again and again",
        _COMPARISONS,
        old="excluded.result <> 'unusable' and",
        new="excluded.result = 'healed' and",
        expected="reconciliation",
    ),
    plant_of(
        "reconciler-asks-who-is-down",
        "only casinos that do not answer are compared",
        "croupier.flows.rate_limit",
        old="        and hub.admission.allows(casino.casino_id)",
        new="        and not hub.admission.allows(casino.casino_id)",
        expected="reconciliation",
    ),
)

_ROUNDS = (
    plant_of(
        "pot-fed-by-every-game",
        "a pot of some games takes the shares of all",
        _JACKPOT,
        old="self.game_ids is None or stake.game_id in self.game_ids",
        new="self.game_ids is None or stake.game_id > 0",
        expected="I21",
    ),
    plant_of(
        "pot-commitment-of-swapped-amounts",
        "what a round commits to cannot be verified: ceiling and seed are swapped",
        _JACKPOT,
        old="{pot.round_seed}:{pot.round_ceiling}:{pot.currency}",
        new="{pot.round_ceiling}:{pot.round_seed}:{pot.currency}",
        expected="I21",
    ),
    plant_of(
        "pot-misses-the-last-entry",
        "the last entry of each range feeds no pot",
        _POTS,
        old="l.entry_id <= $2",
        new="l.entry_id < $2",
        expected="I21",
    ),
    plant_of(
        "rounds-share-their-secret",
        "the secret that is published with a round is the secret of the next one",
        _AWARDS,
        old="Fresh(_secret(hub), secret, await",
        new="Fresh(secret, secret, await",
        expected="I21",
    ),
    plant_of(
        "pot-skips-what-follows-its-winner",
        "stakes that are read in one step with the winning one, and come after it, feed no round",
        _JACKPOT,
        old="win, upto_id = Win(now.number, now.amount, stake.bet_id), stake.entry_id",
        new="win = Win(now.number, now.amount, stake.bet_id)",
        expected="I21",
    ),
    plant_of(
        "pot-seed-of-the-next-round-not-booked",
        "the seed of the next round is in the pot and in no account",
        _JACKPOT,
        old="        entries = (*entries, *_seeded(after))",
        new="        entries = (*entries,)",
        expected="I21",
    ),
)

LATER: tuple[Plant, ...] = (*_MONEY, *_ANSWERS, *_PERSONS, *_ROUNDS)

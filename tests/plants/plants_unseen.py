"""Plants of bugs that the simulator did not see when they were first tried: the hub heals what they break, or they need
two rare things in one instant. They are in the table so that the share of detected plants is that of bugs nobody chose for it.
"""

from __future__ import annotations

from tests.plants.planting import Plant, plant_of

_WAITS = "croupier.core.waits"
_PURSUIT = "croupier.core.pursuit"
_OUTCOMES = "croupier.core.outcomes"
_EFFECTS = "croupier.core.effects"
_CASHBACK = "croupier.core.cashback_effects"
_REQUESTS = "croupier.core.bet_requests"
_JACKPOT = "croupier.core.jackpot"
_ADMISSION = "croupier.flows.admission"
_PAY_IN = "croupier.flows.pay_in"
_RECOVERY = "croupier.flows.recovery"
_RECONCILE = "croupier.flows.reconcile"
_GROUP = "croupier.store.money.group_commit"
_BALANCES = "croupier.store.money.balances"
_RECOVERIES = "croupier.store.oversight.recoveries"

_PROOFS = (
    plant_of(
        "absent-stake-returned",
        "a stake that a list proves absent is returned all the same",
        _PURSUIT,
        old="        effects.stake_expired(d, with_return=False)",
        new="        effects.stake_expired(d, with_return=True)",
        expected="I7",
    ),
    plant_of(
        "any-no-ends-an-unconfirmed-return",
        "any refusal of the return of an unconfirmed stake ends it, not only that its bet is unknown",
        _OUTCOMES,
        old="    if unknown and proves:\n        d.pay(payment.kind, PaymentEvent.REFUSE)",
        new="    if proves:\n        d.pay(payment.kind, PaymentEvent.REFUSE)",
        expected="I7",
    ),
    plant_of(
        "close-without-an-answer-is-done",
        "a close that nobody answered counts as done",
        _PURSUIT,
        old="    if isinstance(reading, CloseDone):\n",
        new="    if isinstance(reading, CloseDone) or slot == SLOT_CLOSE:\n",
        expected="I4",
    ),
    plant_of(
        "closed-under-a-new-payment",
        "a payment of a bet whose close is under way goes out without a reopening",
        _EFFECTS,
        old="    closed = d.subject.closing in (Closing.CLOSING, Closing.CLOSED)",
        new="    closed = d.subject.closing is Closing.CLOSED",
        expected="I4",
    ),
    plant_of(
        "late-queries-at-the-early-times",
        "an expired stake is queried at the times of one without an outcome, so never again",
        _WAITS,
        old="        times = self.late_info_at_s if late else self.info_at_s",
        new="        times = self.info_at_s",
        expected="I7",
    ),
    plant_of(
        "taken-number-never-looked-up",
        "a PartnerTransactionId that a payment of another bet holds is accepted once more",
        _OUTCOMES,
        old="    return partner_tx in others or partner_tx in d.terms.held",
        new="    return partner_tx in others",
        expected="I5",
    ),
    plant_of(
        "unclaimed-bet-denied",
        "a pay-out of a bet that nobody claimed yet is refused",
        _REQUESTS,
        old="    return None if bet.state in IS_ON else CONFLICT",
        new="    return None if bet.state is BetState.ON else CONFLICT",
        expected="I3",
    ),
)

_CASHBACKS = (
    plant_of(
        "safety-cancel-too-early",
        "the cancel of a refused cashback leaves while a copy of its call may still be booked",
        _CASHBACK,
        old="        due_ms = waits.after_ms(d.terms.now_ms, waits.envelope_s + waits.skew_s)",
        new="        due_ms = d.terms.now_ms",
        expected="I7",
    ),
    plant_of(
        "old-refusal-of-a-cashback-believed",
        "a cancel ends a cashback on a stored refusal although an earlier try went unanswered",
        _CASHBACK,
        old="    if give.undecided and give.reason is not None and not sent_since and not give.unanswered:",
        new="    if give.undecided and give.reason is not None and not sent_since:",
        expected="I2",
    ),
    plant_of(
        "unpaid-cashback-counts-as-kept",
        "any refusal of a safety cancel counts as proof that the cashback was paid",
        _CASHBACK,
        old="        if no.reason is not CasinoNo.NOT_ENOUGH_FUNDS:\n            return\n",
        new="",
        expected="I2 owed",
    ),
    plant_of(
        "taken-back-cashback-raises-the-balance",
        "a cashback that was taken back counts twice in the player's balance",
        _BALANCES,
        old="when p.kind in ('stake', 'payout_return', 'cashback_cancel') then -1",
        new="when p.kind in ('stake', 'payout_return') then -1",
        expected="balance",
    ),
)

_PLACES = (
    plant_of(
        "place-of-a-stake-never-freed",
        "the place of a stake at its casino is never freed, so that the casino takes no more bets",
        _PAY_IN,
        old="            hub.admission.leave(casino.casino_id)",
        new="            pass",
        expected="I3",
    ),
    plant_of(
        "breaker-never-closes",
        "the circuit breaker of a casino stays open when the casino answers again",
        _ADMISSION,
        old="        if health.open_since_s is not None:\n            health.open_since_s = None",
        new="        if health.open_since_s is not None:\n            pass",
        expected="I3",
    ),
)

_RECOVERED = (
    plant_of(
        "silent-casino-counts-as-compared",
        "a casino that gives no list counts as compared after a restore, and takes new bets",
        _RECOVERY,
        old="        if done is None or done.result is not ComparisonResult.UNUSABLE:\n            await store.done",
        new="        if True:\n            await store.done",
        expected="I9",
    ),
    plant_of(
        "recovering-casino-takes-bets",
        "a casino that is not compared yet after a restore takes new bets",
        _PAY_IN,
        old="        if hub.recovering(casino.casino_id) or not hub.admission.admit",
        new="        if not hub.admission.admit",
        expected="I9",
    ),
    plant_of(
        "part-ended-before-it-is-compared",
        "the part of a casino after a restore ends while bets of it are not compared",
        _RECOVERY,
        old="        if not share.done and not share.open:",
        new="        if not share.done and not share.standing:",
        expected="I9",
    ),
    plant_of(
        "recovery-over-when-one-casino-is",
        "a recovery ends as soon as one casino is compared",
        _RECOVERY,
        old="        return self.settled and not any(share.open for share in self.shares if not share.done)",
        new="        return self.settled and not all(share.open for share in self.shares if not share.done)",
        expected="I9",
    ),
    plant_of(
        "recovery-ends-for-the-others",
        "the end of one casino's part ends the parts of the others",
        _RECOVERIES,
        old="        return self.ended_ms is None and casino_id not in self.done_casinos",
        new="        return self.ended_ms is None and not self.done_casinos",
        expected="I9",
    ),
)

_INSTANTS = (
    plant_of(
        "two-balances-in-one-group-commit",
        "two decisions of one player in a group commit both tell a balance, and neither holds the other",
        _GROUP,
        old="    if decision.tells is None or after.player_id in telling:",
        new="    if decision.tells is None:",
        expected="balance",
    ),
    plant_of(
        "decided-in-the-instant-of-the-base",
        "a payment that is decided in the millisecond of the balance's query is left out of the balance",
        _BALANCES,
        old="where p.player_id = b.player_id and p.decided_ms >= b.base_ms and p.state = 'accepted'",
        new="where p.player_id = b.player_id and p.decided_ms > b.base_ms and p.state = 'accepted'",
        expected="balance",
    ),
    plant_of(
        "base-taken-beside-a-decision",
        "a reported balance becomes the base although a payment was decided in the millisecond of its query",
        _BALANCES,
        old="(p.decided_ms is null or p.decided_ms >= k.asked_ms)",
        new="(p.decided_ms is null or p.decided_ms > k.asked_ms)",
        expected="balance",
    ),
    plant_of(
        "pot-won-one-unit-late",
        "a stake that fills a pot exactly up to its hit amount does not win it",
        _JACKPOT,
        old="        if now.amount >= hit:",
        new="        if now.amount > hit:",
        expected="I21",
    ),
)

UNSEEN: tuple[Plant, ...] = (*_PROOFS, *_CASHBACKS, *_PLACES, *_RECOVERED, *_INSTANTS)

"""Plants of kinds that the first tables lacked: sessions, limits, exponents, the order of a life, spellings, deadlines.

Chosen as somebody would who had not read the other tables: one word, sign or comparison of a rule each.
"""

from __future__ import annotations

from tests.plants.planting import Plant, plant_of

_SESSION = "croupier.core.session"
_REQUESTS = "croupier.core.bet_requests"
_EFFECTS = "croupier.core.effects"
_CASHBACK = "croupier.core.cashback_effects"
_PURSUIT = "croupier.core.pursuit"
_WAITS = "croupier.core.waits"
_SIGNING = "croupier.providers.betcore_v1.signing"
_BALANCES = "croupier.store.money.balances"
_TRAIN = "croupier.store.money.group_commit"


_NEW_BETS = (
    plant_of(
        "session-never-ends",
        "a bet is opened in a session that is over",
        _SESSION,
        old="    if session.over(now_ms):",
        new="    if now_ms < 0:",
        expected="limits",
    ),
    plant_of(
        "session-ends-early",
        "a session takes no bets in its last half minute",
        _SESSION,
        old="    if session.over(now_ms):",
        new="    if session.over(now_ms + 30_000):",
        expected="limits",
    ),
    plant_of(
        "blocked-player-bets",
        "a player whom the casino excluded opens new bets",
        _SESSION,
        old="    if session.blocked or session.excluded(now_ms):",
        new="    if (session.blocked or session.excluded(now_ms)) and stake == 0:",
        expected="limits",
    ),
    plant_of(
        "switched-off-game-bets",
        "a game that is switched off for a casino takes new bets",
        _SESSION,
        old="provider.takes_new and session.game_open and",
        new="provider.takes_new and",
        expected="limits",
    ),
    plant_of(
        "game-limit-ignored",
        "the limit that is set at a game does not judge its bets",
        _SESSION,
        old="(casino.max_bet, provider.max_bet, game.max_bet)",
        new="(casino.max_bet, provider.max_bet)",
        expected="limits",
    ),
    plant_of(
        "widest-limit-holds",
        "of several limits the widest holds",
        _SESSION,
        old="    high = min(math.floor(",
        new="    high = max(math.floor(",
        expected="limits",
    ),
    plant_of(
        "smallest-stake-inverted",
        "a stake below the smallest one is taken and those above it are refused",
        _SESSION,
        old="0 < stake < low:",
        new="0 < low < stake:",
        expected="limits",
    ),
    plant_of(
        "limit-with-two-decimals",
        "limits are read with two decimals in every currency",
        _SESSION,
        old='int("1" + "0" * exponent(currency))',
        new="100",
        expected="limits",
    ),
)

_REPEATS = (
    plant_of(
        "round-of-a-pay-in-not-compared",
        "a pay-in of another round is answered as a repeat",
        _REQUESTS,
        old="    mine = (bet.casino_id, bet.player_id, bet.round_ref, bet.origin, bet.stake, win)\n"
        "    return mine == (asked.casino_id, asked.player_id, asked.round_ref, origin, asked.stake, asked.win)",
        new="    mine = (bet.casino_id, bet.player_id, bet.origin, bet.stake, win)\n"
        "    return mine == (asked.casino_id, asked.player_id, origin, asked.stake, asked.win)",
        expected="I9",
    ),
    plant_of(
        "round-of-a-pay-out-not-compared",
        "a pay-out of another round settles the bet",
        _REQUESTS,
        old="    mine = (bet.casino_id, bet.player_id, bet.round_ref)\n"
        "    return mine == (asked.casino_id, asked.player_id, asked.round_ref)",
        new="    mine = (bet.casino_id, bet.player_id)\n    return mine == (asked.casino_id, asked.player_id)",
        expected="I9",
    ),
    plant_of(
        "player-of-a-pay-in-not-compared",
        "a pay-in through another player's session is answered as a repeat",
        _REQUESTS,
        old="    mine = (bet.casino_id, bet.player_id, bet.round_ref, bet.origin, bet.stake, win)\n"
        "    return mine == (asked.casino_id, asked.player_id, asked.round_ref, origin, asked.stake, asked.win)",
        new="    mine = (bet.casino_id, bet.round_ref, bet.origin, bet.stake, win)\n"
        "    return mine == (asked.casino_id, asked.round_ref, origin, asked.stake, asked.win)",
        expected="I9 I14",
    ),
    plant_of(
        "pay-in-out-win-not-compared",
        "a pay-in-out with another win is answered as a repeat",
        _REQUESTS,
        old="    win = bet.win if origin is Origin.PAY_IN_OUT else None",
        new="    win = asked.win",
        expected="I9",
    ),
    plant_of(
        "verb-not-compared",
        "a pay-in of a bet that was made by pay-in-out is answered as a repeat",
        _REQUESTS,
        old="bet.round_ref, bet.origin, bet.stake, win)",
        new="bet.round_ref, origin, bet.stake, win)",
        expected="I9",
    ),
    plant_of(
        "pay-in-out-settled-again",
        "a pay-out of a bet that was made by pay-in-out is taken",
        _REQUESTS,
        old="    if bet.origin in (Origin.TOMBSTONE, Origin.PAY_IN_OUT):",
        new="    if bet.origin is Origin.TOMBSTONE:",
        expected="I9",
    ),
    plant_of(
        "tombstone-comes-alive",
        "a pay-out of a bet that was refunded before it came is told yes",
        _REQUESTS,
        old="    return None if bet.state in IS_ON else CONFLICT",
        new="    return None if bet.state in IS_ON else RecordedAnswer()",
        expected="I3 I9",
    ),
    plant_of(
        "jackpot-refunded",
        "a refund of a jackpot win is told yes",
        _REQUESTS,
        old=" or bet.origin is Origin.JACKPOT:\n        return CONFLICT",
        new=":\n        return CONFLICT\n    if bet.origin is Origin.JACKPOT:\n        return RecordedAnswer()",
        expected="I9",
    ),
    plant_of(
        "unclaimed-not-claimed-by-pay-out",
        "a pay-out of an unclaimed bet is refused",
        _REQUESTS,
        old="    return None if bet.state in IS_ON else CONFLICT",
        new="    return None if bet.state is BetState.ON else CONFLICT",
        expected="I3 I9",
    ),
    plant_of(
        "old-stamp-believed",
        "a request with an old timestamp is believed",
        _SIGNING,
        old="fresh_s * 1000:",
        new="fresh_s * 100_000:",
        expected="I9",
    ),
    plant_of(
        "signature-not-compared",
        "a request with a signature over another body is believed",
        _SIGNING,
        old="        if hmac.equal(hmac.sign(secret, parts), claim.signature):",
        new="        if hmac.sign(secret, parts):",
        expected="I9",
    ),
    plant_of(
        "request-id-used-again",
        "the id of a request may come again with another body",
        "croupier.store.replay_guard",
        old='    return "same" if stored is not None and stored == claim.digest else "other"',
        new='    return "same"',
        expected="I9",
    ),
)

_LIFE = (
    plant_of(
        "refunded-loss-goes-through-suspense",
        "the refund of a settled loss takes the stake out of suspense",
        _REQUESTS,
        old="        source = ledger.ggr(bet.casino_id, bet.provider_id)\n"
        '        d.book(source, ledger.owed(bet.casino_id), bet.stake, why="return_decided")',
        new="        source = ledger.suspense(bet.casino_id)\n"
        '        d.book(source, ledger.owed(bet.casino_id), bet.stake, why="return_decided")',
        expected="I1 I13",
    ),
    plant_of(
        "take-back-without-tax",
        "the taking back of a payout does not name its tax",
        _REQUESTS,
        old="        owe(d, PaymentKind.PAYOUT_RETURN, payout.amount, tax=payout.tax)",
        new="        owe(d, PaymentKind.PAYOUT_RETURN, payout.amount, tax=None)",
        expected="I2",
    ),
    plant_of(
        "take-back-of-the-stake",
        "of a payout so much is taken back as the stake was",
        _EFFECTS,
        old="        owe(d, PaymentKind.PAYOUT_RETURN, payout.amount, tax=payout.tax)",
        new="        owe(d, PaymentKind.PAYOUT_RETURN, bet.stake, tax=payout.tax)",
        expected="I7",
    ),
    plant_of(
        "pay-in-out-never-settled",
        "a pay-in-out is on and its win is never owed",
        _EFFECTS,
        old="    if d.subject.origin is Origin.PAY_IN_OUT:",
        new="    if d.subject.origin is Origin.JACKPOT:",
        expected="I3",
    ),
    plant_of(
        "claim-starts-at-once",
        "a stake that nobody waited for goes back without the time to claim it",
        _EFFECTS,
        old="    due = d.terms.waits.after_ms(d.terms.now_ms, d.terms.provider.claim_s)",
        new="    due = d.terms.now_ms - 1",
        expected="I3",
    ),
    plant_of(
        "payout-kept-unsaid",
        "nobody is called when a casino keeps a payout",
        _EFFECTS,
        old='    d.incident("payout_kept", f"the casino refused to take the payout back: {no.code} {no.message}")',
        new="    d.note(kept=no.code)",
        expected="incidents",
    ),
    plant_of(
        "cashback-kept-unsaid",
        "nobody is called when a casino keeps a cashback",
        _CASHBACK,
        old='    d.incident("cashback_kept", f"the casino refused to take the cashback back: {no.code} {no.message}")',
        new="    d.note(kept=no.code)",
        expected="incidents",
    ),
    plant_of(
        "cashback-of-one-unit-more",
        "the payment of a cashback is of one unit more than was decided",
        _CASHBACK,
        old='row.amount, why="cashback_decided")\n    d.order(PaymentKind.CASHBACK, row.amount, None)',
        new='row.amount, why="cashback_decided")\n    d.order(PaymentKind.CASHBACK, row.amount + 1, None)',
        expected="I2 I9",
    ),
    plant_of(
        "cashback-taken-back-and-owed",
        "a cashback that the casino took back goes to what is owed",
        _CASHBACK,
        old='    d.book(ledger.wallets(row.casino_id), ledger.cashback(row.casino_id), row.amount, why="taken_back")',
        new='    d.book(ledger.wallets(row.casino_id), ledger.owed(row.casino_id), row.amount, why="taken_back")',
        expected="I1 owed",
    ),
    plant_of(
        "closed-while-parked",
        "a bet is closed while a payment waits for a person",
        _EFFECTS,
        old="        PaymentState.SENT,\n        PaymentState.PARKED,",
        new="        PaymentState.SENT,",
        expected="I4",
    ),
    plant_of(
        "reopening-taken-for-closing",
        "a bet that was reopened counts as closed, and is never closed again",
        _PURSUIT,
        old="        d.set(closing=Closing.REOPENED)",
        new="        d.set(closing=Closing.CLOSED)",
        expected="I4",
    ),
    plant_of(
        "close-given-up-at-once",
        "a close without an answer is not repeated",
        _PURSUIT,
        old='    if due is None:\n        d.incident("close_given_up"',
        new='    if due is not None:\n        d.incident("close_given_up"',
        expected="I4",
    ),
    plant_of(
        "expired-stake-not-asked-again",
        "a stake that expired is never asked after again",
        _EFFECTS,
        old="    if later is not None:\n        d.call_later(PaymentKind.STAKE.value, Step.INFO, later, failures=0)",
        new="    if later is None:\n        d.call_later(PaymentKind.STAKE.value, Step.INFO, bet.created_ms, failures=0)",
        expected="I2 I7",
    ),
    plant_of(
        "not-there-too-early",
        "a list without the stake proves at once that it is not there",
        _WAITS,
        old="        return asked_ms > self.after_ms(created_ms, hold_s + self.envelope_s + self.skew_s)",
        new="        return asked_ms > self.after_ms(created_ms, 0)",
        expected="I2 I7",
    ),
    plant_of(
        "seconds-for-milliseconds",
        "a wait is a thousandth of what it should be",
        _WAITS,
        old="        return start_ms + round(seconds * MS)",
        new="        return start_ms + round(seconds)",
        expected="I4 I17",
    ),
    plant_of(
        "poisoned-at-the-first-crash",
        "a call whose process died once is left to a person",
        _PURSUIT,
        old="POISON_AFTER = 5",
        new="POISON_AFTER = 1",
        expected="I4",
    ),
    plant_of(
        "refused-for-funds-told-as-wrong-data",
        "a player without funds is told as wrong data",
        "croupier.core.refusals",
        old="    CasinoNo.NOT_ENOUGH_FUNDS: Refusal.NOT_ENOUGH_FUNDS,",
        new="    CasinoNo.NOT_ENOUGH_FUNDS: Refusal.CASINO_REFUSED,",
        expected="I6",
    ),
    plant_of(
        "lost-commit-found-by-its-number",
        "after a connection lost in a commit, a rival's decision of the same version is taken for ours",
        _TRAIN,
        old="{n: (None, None) for n, s in enumerate(items) if s.mark in marks}",
        new="{n: (None, None) for n, s in enumerate(items) if keys[n] in {(row['subject_id'], row['version']) for row in rows}}",
        expected="I3 I9",
    ),
    plant_of(
        "balance-without-tax",
        "a taxed win raises the balance by the whole win",
        _BALANCES,
        old="sum((p.amount - coalesce(p.tax, 0))",
        new="sum((p.amount)",
        expected="I3",
    ),
    plant_of(
        "owed-win-missing-from-the-balance",
        "the balance that is told leaves out what is decided of the bet and not booked yet",
        _BALANCES,
        old="k.net - booked.moved as ahead",
        new="(k.net - booked.moved) * 0 as ahead",
        expected="I3",
    ),
    plant_of(
        "told-balance-counts-its-payment-twice",
        "a Balance that came with a yes becomes the base with the payment in it, and the payment is added again",
        "croupier.flows.balances",
        old="        without = told - moved if kind in GIVES else told + moved",
        new="        without = told",
        expected="I3",
    ),
    plant_of(
        "late-stake-added-to-a-base-that-holds-it",
        "a stake that had expired and turns up moves a base which may hold it already",
        _BALANCES,
        old="where not since.late",
        new="where true",
        expected="I3",
    ),
    plant_of(
        "base-taken-beside-an-open-payment",
        "a casino's word becomes the base although a payment of the player was open meanwhile",
        _BALANCES,
        old="(p.decided_ms is null or p.decided_ms >= k.asked_ms)",
        new="p.decided_ms >= k.asked_ms",
        expected="I3",
    ),
)

RULES: tuple[Plant, ...] = (*_NEW_BETS, *_REPEATS, *_LIFE)

"""Plants of the core: rules that move the wrong money, or none, or twice. One line of the contract broken by each."""

from __future__ import annotations

from tests.plants.planting import Plant

_EFFECTS = "croupier.core.effects"
_REQUESTS = "croupier.core.bet_requests"
_OUTCOMES = "croupier.core.outcomes"
_PURSUIT = "croupier.core.pursuit"
_CASHBACK = "croupier.core.cashback_effects"

_ACCOUNTS = (
    Plant(
        "entry-doubled",
        "the win is booked twice and owed once",
        _EFFECTS,
        (
            (
                'd.book(ggr, ledger.owed(bet.casino_id), win, why="won")',
                'd.book(ggr, ledger.owed(bet.casino_id), win, why="won")\n'
                '    d.book(ggr, ledger.owed(bet.casino_id), win, why="won")',
            ),
        ),
        "I1 I20 owed",
    ),
    Plant(
        "entry-missing",
        "a settled stake never leaves open-bets",
        _EFFECTS,
        (('d.book(ledger.open_bets(bet.casino_id, bet.provider_id), ggr, bet.stake, why="settled")', "pass"),),
        "I13 I20",
    ),
    Plant(
        "sign-wrong",
        "settling moves the stake from GGR into open-bets",
        _EFFECTS,
        (
            (
                'd.book(ledger.open_bets(bet.casino_id, bet.provider_id), ggr, bet.stake, why="settled")',
                'd.book(ggr, ledger.open_bets(bet.casino_id, bet.provider_id), bet.stake, why="settled")',
            ),
        ),
        "I1 I13 I20",
    ),
    Plant(
        "wrong-account",
        "a paid win comes out of suspense and stays owed",
        _EFFECTS,
        (
            (
                'd.book(ledger.owed(bet.casino_id), ledger.wallets(bet.casino_id), payout.amount, why="paid")',
                'd.book(ledger.suspense(bet.casino_id), ledger.wallets(bet.casino_id), payout.amount, why="paid")',
            ),
        ),
        "I1 owed suspense",
    ),
    Plant(
        "account-of-another-casino",
        "GGR is booked to the provider's number as if it were the casino's",
        "croupier.core.ledger",
        (('return f"ggr/{casino_id}/{provider_id}"', 'return f"ggr/{provider_id}/{casino_id}"'),),
        "I1",
    ),
    Plant(
        "return-out-of-the-wrong-account",
        "the return of a late stake comes out of what is owed",
        _EFFECTS,
        (
            (
                "source = ledger.owed(bet.casino_id) if bet.was_on else ledger.suspense(bet.casino_id)",
                "source = ledger.owed(bet.casino_id)",
            ),
        ),
        "I1 suspense",
    ),
    Plant(
        "was-on-forgotten",
        "a bet that is on is taken for one whose stake never stood in open-bets",
        _EFFECTS,
        (("d.set(was_on=True)", "d.set(was_on=False)"),),
        "I8 owed suspense",
    ),
    Plant(
        "stake-counted-twice",
        "the stake is booked twice when it is accepted",
        _EFFECTS,
        (
            (
                'd.book(source, target, bet.stake, why="stake_accepted")',
                'd.book(source, target, bet.stake, why="stake_accepted")\n'
                '    d.book(source, target, bet.stake, why="stake_accepted")',
            ),
        ),
        "I5 I13",
    ),
    Plant(
        "ended-unpaid-not-booked",
        "a cashback that ended unpaid stays owed",
        _CASHBACK,
        (
            (
                'd.book(ledger.owed(row.casino_id), ledger.cashback(row.casino_id), row.amount, why="ended_unpaid")',
                "pass",
            ),
        ),
        "owed",
    ),
    Plant(
        "given-back-without-entry",
        "the payout that came back is not booked back",
        _EFFECTS,
        (
            (
                'd.book(ledger.wallets(bet.casino_id), ggr, d.payments[PaymentKind.PAYOUT_RETURN].amount, why="taken_back")',
                "pass",
            ),
        ),
        "I5 I20",
    ),
)

_OWED = (
    Plant(
        "return-forgotten",
        "a stake that must go back never does",
        _EFFECTS,
        (("    owe(d, kind, d.subject.stake, tax=None)", "    return"),),
        "I4 I7",
    ),
    Plant(
        "late-accept-not-returned",
        "a stake accepted too late is kept",
        _EFFECTS,
        (('"accepted_late")\n    owe_return(d)', '"accepted_late")'),),
        "I7",
    ),
    Plant(
        "return-after-take-back-forgotten",
        "the payout of a refunded bet comes back and the stake does not",
        _EFFECTS,
        (("d.set(ended_ms=d.terms.now_ms)\n    owe_return(d)", "d.set(ended_ms=d.terms.now_ms)"),),
        "I4 I7",
    ),
    Plant(
        "return-behind-a-loss-forgotten",
        "a bet refunded while its payout of 0 was in flight never gets its stake back",
        _EFFECTS,
        (("    if bet.state is BetState.RETURNED:\n        owe_return(d)", ""),),
        "I4 I7",
    ),
    Plant(
        "return-of-one-unit-more",
        "a return gives a unit more than the stake",
        _EFFECTS,
        (("    owe(d, kind, d.subject.stake, tax=None)", "    owe(d, kind, d.subject.stake + 1, tax=None)"),),
        "I5 I7",
    ),
    Plant(
        "win-is-the-stake",
        "what is owed is the stake instead of the win",
        _EFFECTS,
        (
            (
                "owe(d, PaymentKind.PAYOUT, win, tax=tax_due(d, win))",
                "owe(d, PaymentKind.PAYOUT, bet.stake, tax=tax_due(d, win))",
            ),
        ),
        "I5 I7",
    ),
    Plant(
        "win-owed-twice",
        "the win goes out as a payout and once more as a jackpot",
        _EFFECTS,
        (
            (
                "owe(d, PaymentKind.PAYOUT, win, tax=tax_due(d, win))",
                "owe(d, PaymentKind.PAYOUT, win, tax_due(d, win))\n    owe(d, PaymentKind.JACKPOT, win, tax=None)",
            ),
        ),
        "I5 I7",
    ),
    Plant(
        "a-loss-is-not-sent",
        "a win of 0 is never told to the casino, which keeps the bet open",
        _EFFECTS,
        (
            (
                "    owe(d, PaymentKind.PAYOUT, win, tax=tax_due(d, win))",
                "    if win:\n        owe(d, PaymentKind.PAYOUT, win, tax=tax_due(d, win))",
            ),
        ),
        "I4",
    ),
    Plant(
        "tax-deducted",
        "the hub takes the tax off the win, and the casino does so once more",
        _EFFECTS,
        (
            (
                "owe(d, PaymentKind.PAYOUT, win, tax=tax_due(d, win))",
                "owe(d, PaymentKind.PAYOUT, win - (tax_due(d, win) or 0), tax=tax_due(d, win))",
            ),
        ),
        "I5 I7",
    ),
    Plant(
        "tax-not-told",
        "no tax is told where the casino has a rate",
        _EFFECTS,
        (("return None if rate is None else tax_of(win, rate)", "return None"),),
        "I2",
    ),
    Plant(
        "claim-has-no-end",
        "a stake nobody claims is kept for ever",
        _EFFECTS,
        (("    d.call_later(SLOT_CLAIM, Step.CLAIM_DUE, due)", "    del due"),),
        "I4",
    ),
    Plant(
        "claim-goes-on",
        "a claimed bet is still given back when the time of its claim is over",
        _EFFECTS,
        (
            (
                "d.set(pay_in_answer=OK, waiting_until_ms=None)\n    d.drop_call(SLOT_CLAIM)",
                "d.set(pay_in_answer=OK, waiting_until_ms=None)",
            ),
        ),
        "I10",
    ),
    Plant(
        "payout-not-taken-back",
        "a refund that came while the win was in flight never takes it back",
        _EFFECTS,
        (
            (
                "if bet.state is BetState.UNDOING and PaymentKind.PAYOUT_RETURN not in d.payments:",
                "if bet.state is None:",
            ),
        ),
        "I4",
    ),
    Plant(
        "kept-payout-taken-for-returned",
        "the casino refuses to give the payout back, and the stake is given all the same",
        _EFFECTS,
        (
            (
                "    move(d, BetEvent.PAYOUT_KEPT)",
                "    move(d, BetEvent.PAYOUT_TAKEN_BACK)\n    owe_return(d)",
            ),
        ),
        "I7",
    ),
    Plant(
        "never-revived",
        "a stake that turns up after its return was refused is kept",
        _EFFECTS,
        (
            (
                "            d.pay(kind, PaymentEvent.REVIVE)\n            d.call_now(kind.value, Step.MAKE)",
                "            pass",
            ),
        ),
        "I7",
    ),
    Plant(
        "waits-for-ever",
        "a stake accepted after its provider was told 99 counts as waited for",
        "croupier.core.bet",
        (
            (
                "return self.waiting_until_ms is not None and now_ms < self.waiting_until_ms",
                "return self.state is BetState.ASKED",
            ),
        ),
        "I6",
    ),
)

_ORDER = (
    Plant(
        "minus-2-after-2",
        "the stake goes back before the payout has been taken back",
        _REQUESTS,
        (
            (
                "        owe(d, PaymentKind.PAYOUT_RETURN, payout.amount, tax=payout.tax)",
                "        owe_return(d)\n        owe(d, PaymentKind.PAYOUT_RETURN, payout.amount, tax=payout.tax)",
            ),
        ),
        "I8",
    ),
    Plant(
        "two-in-flight",
        "a return leaves while another payment of the bet has no outcome",
        _EFFECTS,
        (
            (
                "if PaymentKind.STAKE not in d.payments or any(p.undecided for p in d.payments.values()):",
                "if PaymentKind.STAKE not in d.payments:",
            ),
        ),
        "I8",
    ),
    Plant(
        "close-before-the-outcome",
        "a bet is closed while its payout has no outcome",
        _EFFECTS,
        (
            (
                "    if PaymentState.ACCEPTED in states and not states & {",
                "    if PaymentState.ACCEPTED in states or states & {",
            ),
        ),
        "I4",
    ),
    Plant(
        "close-never-sent",
        "the casino is never told that no more payments come",
        _EFFECTS,
        (("if not (ended and open_still and d.terms.casino.close):", "if ended or open_still:"),),
        "I4",
    ),
    Plant(
        "reopen-forgotten",
        "a payment goes to a closed bet without its reopening",
        _EFFECTS,
        (("step=Step.REOPEN if closed else Step.MAKE", "step=Step.MAKE"),),
        "I4",
    ),
    Plant(
        "cashback-cancel-does-not-wait",
        "a cancel is sent while the cashback has no outcome",
        _CASHBACK,
        (
            (
                "    move(d, CashbackEvent.CANCEL)\n    if d.subject.state is CashbackState.TAKING_BACK:",
                "    move(d, CashbackEvent.CANCEL)\n    if d.subject.state is not CashbackState.CANCELLED:",
            ),
        ),
        "I8",
    ),
    Plant(
        "cashback-cancel-forgotten",
        "a cashback that is paid while its cancel waits is never taken back",
        _CASHBACK,
        (
            (
                "    _paid(d)\n    if d.subject.state is CashbackState.TAKING_BACK:",
                "    _paid(d)\n    if d.subject.state is CashbackState.CANCELLED:",
            ),
        ),
        "I4",
    ),
)

_REQUEST = (
    Plant(
        "other-contents-accepted",
        "a pay-in with another amount gets the yes of the first",
        _REQUESTS,
        (("    if not same_pay_in(bet, asked):", "    if asked.stake is None:"),),
        "I9",
    ),
    Plant(
        "other-win-accepted",
        "a pay-out with another win gets the yes of the first",
        _REQUESTS,
        (("return RecordedAnswer() if bet.win == asked.win else CONFLICT", "return RecordedAnswer()"),),
        "I9",
    ),
    Plant(
        "claim-after-return",
        "a pay-in is answered yes after its stake went back",
        _REQUESTS,
        (
            (
                "if bet.state in (BetState.ON, BetState.SETTLED):\n        return RecordedAnswer()",
                "if bet.state in (BetState.ON, BetState.SETTLED, BetState.RETURNED):\n        return RecordedAnswer()",
            ),
        ),
        "I3 I9",
    ),
    Plant(
        "payout-before-stake",
        "a pay-out is answered yes while the stake has no outcome",
        _REQUESTS,
        (
            (
                "return NOT_KNOWN if waited or bet.stake_parked else Wait()\n    answered = ",
                "return RecordedAnswer()\n    answered = ",
            ),
        ),
        "I6 I8",
    ),
    Plant(
        "payout-after-refund",
        "a pay-out of a refunded bet is answered yes",
        _REQUESTS,
        (
            (
                "    return None if bet.state in IS_ON else CONFLICT\n",
                "    return None if bet.state in IS_ON else RecordedAnswer()\n",
            ),
        ),
        "I8",
    ),
    Plant(
        "payout-claims-without-confirming",
        "a pay-out takes over an unclaimed stake and its pay-in has no answer",
        _REQUESTS,
        (
            (
                "        confirm(d)\n    settle(d, asked.win)",
                "        d.drop_call('claim')\n    settle(d, asked.win)",
            ),
        ),
        "I3",
    ),
    Plant(
        "refund-leaves-the-payout",
        "a refund of a paid bet gives the stake back and leaves the win",
        _REQUESTS,
        (("    if payout.amount == 0 or payout.state is PaymentState.REFUSED:", "    if payout.amount >= 0:"),),
        "I7",
    ),
    Plant(
        "refund-does-nothing",
        "a refund of a bet that is on is answered yes and forgotten",
        _REQUESTS,
        (("        give_back(d, BetEvent.REFUND)", "        return RecordedAnswer()"),),
        "I3",
    ),
    Plant(
        "refund-in-flight-forgotten",
        "a refund of a stake without an outcome is answered yes and forgotten",
        _REQUESTS,
        (
            (
                "        move(d, BetEvent.REFUND)\n        d.set(waiting_until_ms=None)",
                "        return RecordedAnswer()",
            ),
        ),
        "I3",
    ),
    Plant(
        "refund-scope-forgotten",
        "a refund through another player's session undoes the bet",
        _REQUESTS,
        (
            (
                "if (bet.casino_id, bet.player_id) != (casino_id, player_id) or bet.origin is Origin.JACKPOT:",
                "if bet.origin is Origin.JACKPOT:",
            ),
        ),
        "I14",
    ),
    Plant(
        "payout-scope-forgotten",
        "a pay-out through another player's session settles the bet",
        _REQUESTS,
        (
            (
                "return mine == (asked.casino_id, asked.player_id, asked.round_ref)",
                "return mine[2] == asked.round_ref",
            ),
        ),
        "I14",
    ),
    Plant(
        "repeat-answers-differently",
        "a repeat of a refused pay-in gets another refusal than the first",
        _REQUESTS,
        (
            (
                "return RecordedAnswer(Refusal(bet.pay_in_answer))",
                "return RecordedAnswer(Refusal.CASINO_REFUSED if bet.version % 2 else Refusal.LIMIT)",
            ),
        ),
        "I9",
    ),
    Plant(
        "refusal-is-a-yes",
        "a pay-in whose stake was refused is answered yes",
        _REQUESTS,
        (("return RecordedAnswer(Refusal(bet.pay_in_answer))", "return RecordedAnswer()"),),
        "I6",
    ),
    Plant(
        "limit-ignored",
        "a stake above every limit is taken",
        "croupier.core.session",
        (("    if stake > high or 0 < stake < low:", "    if stake < 0:"),),
        "I3",
    ),
)

_READING = (
    Plant(
        "refused-read-as-accepted",
        "a stake that the casino refused is taken for booked",
        _OUTCOMES,
        (
            (
                "        d.pay(payment.kind, PaymentEvent.REFUSE)\n        refused(d, no)",
                "        d.pay(payment.kind, PaymentEvent.ACCEPT)\n        _EFFECTS[payment.kind].accepted(d)",
            ),
        ),
        "I2 I6",
    ),
    Plant(
        "not-yet-read-as-never",
        "a casino that refuses a win once need never pay it",
        _OUTCOMES,
        (
            (
                "proves=proves, newer_try=newer_try)\n    elif newer_try:\n        retry_later(d, kind, make_step(d))",
                "proves=proves, newer_try=newer_try)\n    elif newer_try:\n        d.pay(kind, PaymentEvent.REFUSE)",
            ),
        ),
        "I4 I7",
    ),
    Plant(
        "amount-not-compared",
        "a yes to another amount is taken for a yes",
        _OUTCOMES,
        (
            (
                "    if said.amount is not None and not same_amount(said.amount, payment.amount, currency):",
                "    if said.amount == '':",
            ),
        ),
        "I2",
    ),
    Plant(
        "player-not-compared",
        "a yes that names another player is taken for a yes",
        _OUTCOMES,
        (("    if said.player_ref not in (None, d.subject.player_ref):", "    if said.player_ref == '':"),),
        "I2",
    ),
    Plant(
        "exists-with-other-contents-accepted",
        "103804 with another amount is taken for a yes",
        _OUTCOMES,
        (
            (
                "    if not wrong:\n        return apply_success(d, payment, said)\n    if payment.undecided:",
                "    if payment.undecided:\n        _accept(d, payment, said)\n        return Verdict.OK\n"
                "    if not wrong:\n        return apply_success(d, payment, said)\n    if payment.undecided:",
            ),
        ),
        "I2",
    ),
    Plant(
        "second-transaction-accepted",
        "the casino says that it booked twice, and is told that all is well",
        _OUTCOMES,
        (("        if payment.partner_tx == said.partner_tx:", "        if payment.partner_tx is not None:"),),
        "I5",
    ),
    Plant(
        "contradiction-believed",
        "a refusal after the acceptance is answered with success and nobody is called",
        _OUTCOMES,
        (
            (
                '        return record_contradiction(d, payment, no, note=f"refused after it was accepted: {no.code} {no.message}")',
                "        return Verdict.OK",
            ),
        ),
        "I5",
    ),
    Plant(
        "late-yes-refused",
        "a late acceptance is refused where nobody agreed that the casino undoes it",
        _OUTCOMES,
        (
            (
                "return d.terms.casino.late_accept is LateAccept.RETURN or wanted_back",
                "return wanted_back",
            ),
        ),
        "I2",
    ),
    Plant(
        "undone-and-returned",
        "a late stake is left to the casino to undo, and returned as well",
        _OUTCOMES,
        (
            (
                "return d.terms.casino.late_accept is LateAccept.RETURN or wanted_back",
                "return d.terms.casino.late_accept is LateAccept.RETURN",
            ),
        ),
        "I2 I5",
    ),
    Plant(
        "unknown-read-as-refused",
        "no answer to a make is taken for a no",
        _PURSUIT,
        (
            (
                "    if isinstance(reading, Received | Unknown):\n        if payment.undecided:",
                "    if isinstance(reading, Unknown):\n"
                "        from croupier.core.readings import No\n"
                "        from croupier.core.refusals import CasinoNo\n\n"
                '        apply_outcome(d, kind, No(CasinoNo.OTHER, 0, ""))\n'
                "        return\n"
                "    if isinstance(reading, Received | Unknown):\n        if payment.undecided:",
            ),
        ),
        "I6 I7",
    ),
    Plant(
        "received-read-as-accepted",
        "the receipt of a make is taken for its acceptance",
        _PURSUIT,
        (
            (
                "    if isinstance(reading, Received | Unknown):\n        if payment.undecided:",
                "    if isinstance(reading, Received) and payment.undecided:\n"
                '        d.pay(kind, PaymentEvent.ACCEPT, partner_tx="")\n'
                "        getattr(effects, {'stake': 'stake_accepted', 'bet_return': 'return_accepted'}"
                ".get(kind.value, kind.value + '_accepted'), lambda _: None)(d)\n"
                "        close_if_done(d)\n"
                "        return\n"
                "    if isinstance(reading, Received | Unknown):\n        if payment.undecided:",
            ),
        ),
        "I2 I6",
    ),
    Plant(
        "absent-read-as-present",
        "a stake that the casino does not know is taken for booked",
        _PURSUIT,
        (
            (
                "        effects.stake_expired(d, with_return=False)",
                "        d.pay(PaymentKind.STAKE, PaymentEvent.ACCEPT)\n        effects.stake_accepted(d)",
            ),
        ),
        "I2 I7",
    ),
    Plant(
        "foreign-return-ignored",
        "a casino that has returned the stake by itself gets the bet put on",
        _PURSUIT,
        (
            (
                "    if foreign and PaymentKind.BET_RETURN not in d.payments:",
                "    if foreign and PaymentKind.BET_RETURN in d.calls:",
            ),
        ),
        "I7",
    ),
)

_SCHEDULE = (
    Plant(
        "retries-stop-too-early",
        "what is owed is parked after three failures",
        _OUTCOMES,
        (("    if due is None:\n        park(", "    if due is None or failures >= 3:\n        park("),),
        "I4",
    ),
    Plant(
        "retries-never-slow-down",
        "failures are not counted, so a casino that is down is met four times a second",
        _OUTCOMES,
        (("    failures = call.failures + 1\n", "    failures = max(call.failures, 1)\n"),),
        "I17",
    ),
    Plant(
        "accept-awaited-for-ever",
        "what was acknowledged is never sent again when its accept does not come",
        _PURSUIT,
        (
            (
                "d.call_later(kind.value, Step.MAKE, due, acked=True)",
                "d.call_later(kind.value, Step.MAKE, due + 30 * 86_400_000, acked=True)",
            ),
        ),
        "I4",
    ),
    Plant(
        "stake-sent-after-its-time",
        "a stake is sent again long after its provider was answered",
        _PURSUIT,
        (
            ("    if wanted and not acked and retry is not None and retry < hold_end:", "    if retry is not None:"),
            ("    return payment.undecided and (unwanted or d.terms.now_ms >= hold_end)", "    return False"),
        ),
        "I17",
    ),
    Plant(
        "deadline-off-by-one",
        "the next question after a stake may be due in the instant of the last",
        "croupier.core.waits",
        (("(at := self.after_ms(created_ms, s)) > now_ms)", "(at := self.after_ms(created_ms, s)) >= now_ms - 999)"),),
        "I4 I17",
    ),
    Plant(
        "incident-forgotten",
        "what is parked calls for nobody",
        _OUTCOMES,
        (('    d.incident("parked", f"{kind.value}: {why}")', "    del why"),),
        "I4",
    ),
)

_AMOUNTS = (
    Plant(
        "float-amount",
        "amounts are read through a float and cut",
        "croupier.core.money",
        (
            (
                '    minor = int(whole + fraction[:digits].ljust(digits, "0"))',
                "    minor = int(float(text) * 10**digits)",
            ),
        ),
        "I3 I15",
    ),
    Plant(
        "off-by-the-exponent",
        "every currency is read as if it had two decimals",
        "croupier.core.money",
        (
            (
                '    minor = int(whole + fraction[:digits].ljust(digits, "0"))',
                '    minor = int(whole + fraction[:2].ljust(2, "0"))',
            ),
        ),
        "I3",
    ),
    Plant(
        "written-with-two-decimals",
        "every currency is written as if it had two decimals",
        "croupier.core.money",
        (
            (
                '    text = str(abs(minor)).rjust(digits + 1, "0")',
                '    digits = 2\n    text = str(abs(minor)).rjust(digits + 1, "0")',
            ),
        ),
        "I2 I5",
    ),
    Plant(
        "decimals-rounded",
        "a finer amount than the currency has is rounded instead of refused",
        "croupier.core.money",
        (('    if fraction[digits:].strip("0"):', "    if len(fraction) > 8:"),),
        "I3 I15",
    ),
    Plant(
        "tax-rounded-up",
        "the tax is rounded up instead of half to even",
        "croupier.core.money",
        (
            (
                "return whole + (rest > 5_000 or (rest == 5_000 and whole % 2 == 1))",
                "return whole + (rest > 0)",
            ),
        ),
        "I2",
    ),
)

CORE = (*_ACCOUNTS, *_OWED, *_ORDER, *_REQUEST, *_READING, *_SCHEDULE, *_AMOUNTS)

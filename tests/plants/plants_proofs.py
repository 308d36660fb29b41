"""Plants of what proves what: refusals after silence, lists that are old, lines that stand twice, samples with a gap."""

from __future__ import annotations

from tests.plants.planting import Plant

_OUTCOMES = "croupier.core.outcomes"
_PURSUIT = "croupier.core.pursuit"
_CALLS = "croupier.store.money.calls"
_COMPARISONS = "croupier.store.oversight.comparisons"

_REFUSALS = (
    Plant(
        "refusal-of-a-repeat-believed",
        "a stake that was booked by a try without an answer ends by the refusal of its repeat",
        _OUTCOMES,
        (("    return payment.unanswered or resent", "    return False"),),
        "I2 I7",
    ),
    Plant(
        "silence-forgotten",
        "a try without an answer leaves no mark at its payment",
        _PURSUIT,
        (
            (
                "    if isinstance(reading, Unknown) and reading.sent:\n        d.mark_unanswered(kind)\n",
                "",
            ),
        ),
        "I2 I7",
    ),
    Plant(
        "crash-counts-as-an-answer",
        "a make whose process died leaves no mark at its payment",
        _CALLS,
        (("c.lease_owner is not null and c.step = 'make' as unheard", "false as unheard"),),
        "I2 I7",
    ),
    Plant(
        "let-go-counts-as-an-answer",
        "a make whose answer the database did not take leaves no mark at its payment",
        _CALLS,
        (('            if left and any(row["step"] == "make" for row in rows):', "            if False:"),),
        "I2 I7",
    ),
    Plant(
        "resent-after-an-acknowledgement",
        "an acknowledged try without an outcome counts as answered when the payment is sent again",
        _PURSUIT,
        (("    if call is not None and call.acked:\n", "    if False:\n"),),
        "I2 I7",
    ),
    Plant(
        "asked-while-a-copy-is-valid",
        "the taking back of a payout ends by a list from before its last copy expired",
        _OUTCOMES,
        (
            (
                "dead_ms = d.terms.waits.after_ms(d.terms.now_ms, d.terms.waits.envelope_s + d.terms.waits.skew_s)",
                "dead_ms = d.terms.now_ms",
            ),
        ),
        "I2",
    ),
    Plant(
        "cashback-parked-without-a-second-try",
        "the first refusal after silence calls for a person at once, and a cancel that would go through is not tried",
        _OUTCOMES,
        (
            (
                "    elif payment.reason is None:\n        if newer_try:\n            retry_later(d, kind, make_step(d))\n    elif not",
                "    elif True or not",
            ),
        ),
        "I4",
    ),
)
_LISTS = (
    Plant(
        "list-dated-by-its-answer",
        "a list from before a stake could be ruled out ends it, because its answer came late",
        _PURSUIT,
        (
            (
                "waits.not_there_proves(payment.created_ms, asked_ms, d.terms.hold_s)",
                "waits.not_there_proves(payment.created_ms, d.terms.now_ms, d.terms.hold_s)",
            ),
        ),
        "I2 I7",
    ),
    Plant(
        "balance-dated-by-its-answer",
        "a balance is dated by when its answer came: what was accepted meanwhile is in it or not",
        "croupier.flows.balances",
        (
            (
                "    await hub.store.balances.base(session.player_id, amount, asked_ms, heard_ms=heard_ms)",
                "    await hub.store.balances.base(session.player_id, amount, hub.clock.now_ms(), heard_ms=heard_ms)",
            ),
        ),
        "I3",
    ),
    Plant(
        "first-line-believed",
        "of two lines of one payment the first is read, whatever it says",
        _OUTCOMES,
        (("    return next(iter(known or fitting or lines), None)", "    return next(iter(lines), None)"),),
        "I2",
    ),
    Plant(
        "double-listing-unseen",
        "a stake that is listed twice raises no finding",
        "croupier.core.reconciliation",
        (("    if len(lines) < 2:", "    if True:"),),
        "I2",
    ),
)
_SAMPLES = (
    Plant(
        "sample-of-settled-bets-alone",
        "bets that were refused, expired or cancelled are never compared",
        _COMPARISONS,
        (("('settled', 'returned', 'disputed', 'refused', 'expired', 'cancelled')", "('settled', 'returned')"),),
        "I2",
    ),
    Plant(
        "wish-fulfilled-by-nothing",
        "a comparison without a usable list counts as one",
        _COMPARISONS,
        (("excluded.result <> 'unusable' and exists", "exists"),),
        "I2",
    ),
)

PROOFS = (*_REFUSALS, *_LISTS, *_SAMPLES)

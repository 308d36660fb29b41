"""Plants of what casinos say again, for another payment, or to a worker that has lost its lease."""

from __future__ import annotations

from tests.plants.planting import Plant

_OUTCOMES = "croupier.core.outcomes"
_CORE = "tests/core/test_outcomes.py::"
_NUMBERS = "tests/store/money/test_partner_transactions.py::"

WORDS = (
    Plant(
        "contradiction-told-each-time",
        "a contradiction that is resent is a new incident each time, and reopens what a person closed",
        _OUTCOMES,
        (
            (
                "    if verdict_on(d.payments[payment.kind], outcome, d.subject.currency) is not Verdict.CONFLICT:",
                "    if outcome is not None:",
            ),
            ("        return before is Verdict.CONFLICT", "        return False"),
        ),
        "F",
        test=_CORE + "test_a_contradiction_that_is_resent_changes_nothing",
    ),
    Plant(
        "resent-refusal-counts",
        "each resent refusal of owed money is one more failure, and postpones it",
        _OUTCOMES,
        (
            (
                "call.step is Step.MAKE and (call.acked or call.lease_owner is not None)",
                "call.step is Step.MAKE",
            ),
        ),
        "I17",
        test=_CORE + "test_a_refusal_of_owed_money_counts_once_for_each_try",
    ),
    Plant(
        "message-taken-for-contents",
        "a refusal with another Message is taken for another refusal",
        "croupier.core.remembered",
        (('("no", outcome.code)', '("no", outcome.code, outcome.message)'),),
        "F",
        test=_CORE + "test_a_contradiction_that_is_resent_changes_nothing",
    ),
    Plant(
        "refused-late-yes-taken-later",
        "a late success that the casino was told to undo is taken in when it is resent, and returned too",
        _OUTCOMES,
        (("    return payment.state in (PaymentState.REFUSED, PaymentState.EXPIRED)", "    return False"),),
        "I2 I5",
        test=_CORE + "test_a_late_success_that_was_refused_stays_refused",
    ),
    Plant(
        "unsaid-filled-in",
        "what an inline yes leaves unsaid is filled in from our own order, and so equals it",
        "croupier.casinos.betcore_v2.codec",
        (
            (
                "    return Yes(stated, messages.read_balance(value))",
                "    said = (order.subject_id, stated.player_ref or order.player_ref, order.kind)\n"
                "    money = (stated.amount or format_amount(order.amount, order.currency), stated.tax or _tax_text(order))\n"
                "    return Yes(Contents(*said, *money, stated.partner_tx), messages.read_balance(value))",
            ),
        ),
        "C",
        test="tests/casinos/betcore_v2/test_codec.py::test_an_inline_outcome_may_leave_unsaid_what_was_asked",
    ),
    Plant(
        "id-of-another-payment-believed",
        "a yes under the PartnerTransactionId of another bet's payment is taken",
        _OUTCOMES,
        (("    return partner_tx in others or partner_tx in d.terms.held", "    return partner_tx in others"),),
        "I5",
        test="tests/core/test_pursuit.py::test_an_id_of_another_payment_is_no_yes",
    ),
    Plant(
        "stakes-id-pays-the-win",
        "the stake's answer, read a second time, is taken for the payout's",
        _OUTCOMES,
        (("    return partner_tx in others or partner_tx in d.terms.held", "    return partner_tx in d.terms.held"),),
        "I2 I5",
        test="tests/core/test_pursuit.py::test_an_inline_yes_with_the_id_of_another_payment_is_no_answer",
    ),
    Plant(
        "one-id-twice-in-one-group_commit",
        "two payments that are given one PartnerTransactionId in the same moment are both accepted",
        "croupier.store.money.group_commit_sql",
        (("    order by casino_id, partner_tx)", "    order by casino_id, partner_tx on conflict do nothing)"),),
        "I5",
        test=_NUMBERS + "test_of_two_in_one_group_commit_one_is_written",
    ),
    Plant(
        "second-with-an-id-told-that-it-won",
        "who came second with a PartnerTransactionId is answered as if it had been written",
        "croupier.store.money.group_commit",
        (("                item.done.set_result(None)", "                item.done.set_result(item.decision)"),),
        "I3 I5",
        test=_NUMBERS + "test_of_two_in_one_group_commit_one_is_written",
    ),
    Plant(
        "outdated-yes-dropped",
        "a definite yes that comes back under an outdated lease is forgotten",
        "croupier.flows.dispatcher",
        (('    return draft.finish(f"{slot}_overheard") if draft.changed else None', "    return None"),),
        "G",
        test="tests/flows/test_dispatcher.py::test_an_inline_yes_under_an_outdated_lease_is_taken_in",
    ),
    Plant(
        "outdated-silence-plans",
        "an answer under an outdated lease plans the next try of a call that is somebody else's",
        "croupier.flows.dispatcher",
        (
            (
                "                return _apply_stale_answer(draft, leased_call.slot, reading)",
                "                pass",
            ),
        ),
        "I17",
        test="tests/flows/test_dispatcher.py::test_no_answer_under_an_outdated_lease_plans_nothing",
    ),
    Plant(
        "stake-leaves-after-its-hold-time",
        "a stake that waited too long for the keys leaves after its hold time",
        "croupier.flows.dispatcher",
        (
            (
                "            before_ms = min(before_ms, self._hub.waits.after_ms(created_ms, provider.hold_s))",
                "            before_ms = max(before_ms, self._hub.waits.after_ms(created_ms, provider.hold_s))",
            ),
        ),
        "I7 I17",
        test="tests/flows/test_dispatcher.py::test_a_stake_never_leaves_after_its_hold_time",
    ),
    Plant(
        "leaves-under-a-lease-that-ran-out",
        "a call leaves when its lease is over and somebody else makes it too",
        "croupier.casinos.betcore_v2.client",
        (("            if before_ms is not None and now_ms >= before_ms:", "            if before_ms is None:"),),
        "I17",
        test="tests/flows/test_dispatcher.py::test_a_call_never_leaves_under_a_lease_that_ran_out",
    ),
    Plant(
        "sealed-before-it-waited",
        "the body is made before the connection stands, so its time is looked at too early",
        "croupier.kit.http",
        (
            (
                "                return await self._exchange(request, target, progress)",
                "                return await self._exchange(request.leaving(), target, progress)",
            ),
        ),
        "E",
        test="tests/kit/test_connection.py::"
        "test_the_body_is_made_when_a_connection_stands_and_nothing_is_sent_when_it_is_too_late",
    ),
    Plant(
        "too-late-is-a-failure",
        "a call that never left counts as one more failure of its casino",
        "croupier.casinos.betcore_v2.client",
        (("        except TooLate:\n            raise\n", ""),),
        "E",
        test="tests/casinos/betcore_v2/test_client.py::test_what_is_bound_to_a_time_leaves_before_it_or_not_at_all",
    ),
    Plant(
        "orderly-stop-counts-as-a-crash",
        "five orderly restarts park what a slow casino is owed",
        "croupier.store.money.calls",
        (
            (
                'sql = "update calls set lease_until_ms = $2 where lease_owner',
                'sql = "update calls set lease_until_ms = $2, crashes = crashes + 1 where lease_owner',
            ),
        ),
        "I4",
        test="tests/flows/test_dispatcher.py::test_orderly_restarts_park_nothing",
    ),
    Plant(
        "stopping-worker-keeps-its-calls",
        "what a stopping worker holds waits until its lease runs out",
        "croupier.apps.worker",
        (("    await hub.store.calls.give_back(hub.clock.now_ms())\n", ""),),
        "H",
        test="tests/flows/test_dispatcher.py::test_what_a_stopping_worker_holds_is_taken_up_at_once",
    ),
    Plant(
        "deaths-are-not-counted",
        "a call that kills its process is tried for ever",
        "croupier.store.money.calls",
        (
            (
                "lease_until_ms = least(lease_until_ms, $3), crashes = crashes + 1",
                "lease_until_ms = least(lease_until_ms, $3)",
            ),
        ),
        "I4",
        test="tests/flows/test_dispatcher.py::test_five_deaths_quarantine_and_the_sixth_try_is_not_made",
    ),
)

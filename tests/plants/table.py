"""All plants, from the tables of their layers, and the tests for those that the simulator does not detect.

Owns: the joined list, those tests, and the look-up by name.
"""

from __future__ import annotations

from dataclasses import replace

from tests.plants.planting import Plant
from tests.plants.plants_core import CORE
from tests.plants.plants_flows import FLOWS
from tests.plants.plants_jackpots import JACKPOTS
from tests.plants.plants_last import LAST
from tests.plants.plants_later import LATER
from tests.plants.plants_proofs import PROOFS
from tests.plants.plants_protocols import PROTOCOLS
from tests.plants.plants_rules import RULES
from tests.plants.plants_store import STORE
from tests.plants.plants_unseen import UNSEEN
from tests.plants.plants_words import WORDS

_CASHBACK = "tests/core/test_cashback_effects.py::"
_OUTCOMES = "tests/core/test_outcomes.py::"
_PURSUIT = "tests/core/test_pursuit.py::"
_LINES = "tests/kit/test_connection.py::"
_SWEEP = "tests/flows/test_poller.py::"
_MONEY = "tests/core/test_money.py::"
_PROOFS = "tests/core/test_unanswered.py::"
_CALLS = "tests/store/money/test_calls.py::"
_TRAIN = "tests/store/money/test_group_commit.py::"
_PATROL = "tests/flows/test_reconciler.py::"

TESTS: dict[str, str] = {
    "two-balances-in-one-group-commit": "tests/flows/test_balances.py::test_of_two_decisions_of_a_player_in_one_group_commit_one_tells_the_balance",
    "ended-unpaid-not-booked": _CASHBACK + "test_a_cancel_that_waited_ends_with_a_definite_no",
    "kept-payout-taken-for-returned": _OUTCOMES + "test_a_refused_taking_back_of_a_payout_leaves_the_bet_settled",
    "never-revived": _OUTCOMES + "test_a_refused_return_is_revived_when_its_stake_turns_up",
    "waits-for-ever": _OUTCOMES + "test_an_accepted_stake_is_on_only_if_somebody_waits",
    "two-in-flight": "tests/core/test_effects.py::test_a_return_waits_for_every_other_payment_of_its_bet",
    "close-before-the-outcome": "tests/core/test_effects.py::test_nothing_is_closed_while_a_payment_may_still_move",
    "reopen-forgotten": "tests/core/test_effects.py::test_a_payment_of_a_closed_bet_asks_for_its_reopening",
    "cashback-cancel-does-not-wait": _CASHBACK + "test_a_cancel_waits_unless_the_last_word_was_a_no",
    "cashback-cancel-forgotten": _CASHBACK + "test_a_cancel_that_waited_takes_back_what_was_paid",
    "widest-limit-holds": "tests/core/test_session.py::test_the_narrowest_limit_holds_and_none_is_ever_wider_than_set",
    "limit-ignored": "tests/core/test_session.py::test_a_stake_lies_within_the_limits_and_a_free_round_knows_no_minimum",
    "not-yet-read-as-never": _OUTCOMES + "test_a_no_to_owed_money_is_not_yet",
    "amount-not-compared": _OUTCOMES + "test_an_accept_that_contradicts_the_make_changes_no_money",
    "player-not-compared": _OUTCOMES + "test_an_accept_that_contradicts_the_make_changes_no_money",
    "exists-with-other-contents-accepted": _OUTCOMES + "test_a_stake_that_exists_with_other_contents_is_parked",
    "second-transaction-accepted": _OUTCOMES + "test_a_word_after_the_acceptance_repeats_it_or_contradicts_it",
    "contradiction-believed": _OUTCOMES + "test_a_word_after_the_acceptance_repeats_it_or_contradicts_it",
    "late-yes-refused": _OUTCOMES + "test_a_success_for_an_ended_stake_is_recorded_and_returned_once",
    "undone-and-returned": _OUTCOMES + "test_never_both_once_a_return_is_wanted_a_late_accept_is_taken_in",
    "absent-read-as-present": _PURSUIT + "test_a_stake_expires_when_not_there_proves_it_or_the_questions_end",
    "foreign-return-ignored": _PURSUIT + "test_a_return_beside_it_that_we_never_sent_makes_the_answer_unusable",
    "retries-stop-too-early": _OUTCOMES + "test_the_fifth_failure_calls_for_a_person_and_the_thirtieth_day_parks",
    "retries-never-slow-down": _PURSUIT + "test_an_unanswered_payout_climbs_the_ladder",
    "accept-awaited-for-ever": _PURSUIT + "test_an_accept_that_never_comes_is_a_failure_like_any_other",
    "stake-sent-after-its-time": _PURSUIT + "test_a_stake_is_sent_again_only_unacknowledged_and_inside_the_hold_time",
    "deadline-off-by-one": "tests/core/test_waits.py::test_the_next_question_lies_ahead",
    "incident-forgotten": _OUTCOMES + "test_owed_money_that_exists_with_other_contents_is_parked",
    "float-amount": _MONEY + "test_good_amounts_are_read_exactly",
    "off-by-the-exponent": _MONEY + "test_good_amounts_are_read_exactly",
    "written-with-two-decimals": _MONEY + "test_amounts_are_written_with_all_decimals_of_the_currency",
    "decimals-rounded": _MONEY + "test_more_decimals_than_the_currency_has_are_refused_never_rounded",
    "tax-rounded-up": _MONEY + "test_tax_rounds_half_to_even",
    "balance-with-the-wrong-sign": "tests/store/money/test_balances.py::test_an_accepted_payment_moves_it_by_its_kind",
    "stale-make-never-expires": "tests/casinos/betcore_v2/test_signing.py::test_a_sent_jwt_lives_ten_seconds",
    "unasked-bytes-read": _LINES + "test_every_call_gets_its_own_answer",
    "connection-shared-by-casinos": _LINES + "test_two_peers_at_one_address_share_no_connection",
    "poller-counts-down-the-wrong-casino": _SWEEP + "test_a_place_that_frees_is_taken_and_every_win_arrives",
    "claim-behind-a-full-casino": "tests/store/money/test_calls.py::"
    "test_each_line_has_its_own_places_and_what_needs_no_casino_has_no_bound",
    "what-was-not-asked-is-unanswered": _SWEEP + "test_what_could_not_be_asked_is_no_failure",
    "recovery-of-one-ends-all": "tests/flows/test_recovery.py::"
    "test_a_casino_that_is_reconciled_takes_new_bets_while_another_is_silent",
    "lock-missing": "tests/store/money/test_calls.py::test_a_call_goes_to_one_of_all_who_reach_for_it",
    "ids-used-again-after-a-restart": "tests/store/money/test_ids.py::test_no_process_is_given_an_id_of_another_or_of_one_that_is_gone",
    "refusal-of-a-repeat-believed": _PROOFS + "test_a_refused_repeat_of_an_unanswered_stake_leaves_it_to_info",
    "silence-forgotten": _PROOFS + "test_every_answer_that_says_nothing_leaves_a_try_unanswered",
    "crash-counts-as-an-answer": _CALLS + "test_a_make_whose_process_died_is_remembered_as_unanswered",
    "let-go-counts-as-an-answer": _CALLS + "test_what_was_let_go_after_it_may_have_left_is_remembered_as_unanswered",
    "resent-after-an-acknowledgement": _PROOFS + "test_of_two_acknowledged_tries_one_refusal_is_not_the_end",
    "asked-while-a-copy-is-valid": _PROOFS + "test_a_payout_is_asked_after_once_no_copy_of_its_taking_back_is_valid",
    "cashback-parked-without-a-second-try": _PROOFS
    + "test_the_cancel_of_a_cashback_is_tried_once_more_and_then_a_person_looks",
    "list-dated-by-its-answer": _PROOFS + "test_a_list_is_as_old_as_its_question",
    "late-stake-added-to-a-base-that-holds-it": "tests/store/money/test_balances.py"
    "::test_a_payment_that_turns_up_late_makes_the_base_unknown_until_the_casino_is_asked_anew",
    "balance-dated-by-its-answer": "tests/flows/test_balances.py::test_a_balance_is_as_old_as_its_question",
    "first-line-believed": _PROOFS + "test_of_two_lines_the_one_that_fits_is_taken",
    "double-listing-unseen": "tests/flows/test_reconcile.py"
    "::test_a_list_that_was_asked_for_a_stake_and_shows_it_twice_is_a_finding",
    "sample-of-settled-bets-alone": _PATROL + "test_the_sample_covers_every_end_of_a_bet",
    "wish-fulfilled-by-nothing": _PATROL + "test_an_answer_that_says_nothing_leaves_the_wish_standing",
    "lost-commit-found-by-its-number": _TRAIN + "test_after_a_lost_connection_a_rival_of_the_same_version_is_not_ours",
    "taken-up-without-a-new-version": "tests/store/money/test_calls.py::test_a_decision_from_before_a_takeover_is_not_written",
}
"""Plant to the test that fails with it, for those that the simulator detects late or never."""

PLANTS: tuple[Plant, ...] = tuple(
    replace(plant, test=TESTS.get(plant.name, plant.test))
    for plant in (*CORE, *FLOWS, *STORE, *PROTOCOLS, *PROOFS, *RULES, *WORDS, *JACKPOTS, *LATER, *LAST, *UNSEEN)
)


def named(name: str) -> Plant:
    """Return the plant of this name."""
    return next(plant for plant in PLANTS if plant.name == name)

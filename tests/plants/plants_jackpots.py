"""Plants of the hub's jackpot pots: shares that are lost or counted twice, and wins that are paid twice or never."""

from __future__ import annotations

from tests.plants.planting import Plant

_RULES = "croupier.core.jackpot"
_STORE = "croupier.store.money.jackpots"
_FLOW = "croupier.flows.jackpots"
_CORE_TESTS = "tests/core/test_jackpot.py::"
_FLOW_TESTS = "tests/flows/test_jackpots.py::"

JACKPOTS = (
    Plant(
        "pot-share-counted-twice",
        "a share enters a pot twice",
        _RULES,
        (
            (
                "contributed=pot.contributed + one.amount, carry=carry)",
                "contributed=pot.contributed + 2 * one.amount, carry=carry)",
            ),
        ),
        "I21",
        _CORE_TESTS + "test_no_cent_is_lost_or_invented_over_many_stakes",
    ),
    Plant(
        "pot-remainder-dropped",
        "what is less than a minor unit is lost with each stake",
        _RULES,
        (("    carry = pot.carry + parts - one.amount * PARTS\n", "    carry = 0 * parts\n"),),
        "I21",
        _CORE_TESTS + "test_no_cent_is_lost_or_invented_over_many_stakes",
    ),
    Plant(
        "pot-half-rounded-up",
        "halves are always rounded up",
        _RULES,
        (("(2 * rest == PARTS and whole % 2 == 1)", "(2 * rest == PARTS)"),),
        "I21",
        _CORE_TESTS + "test_halves_go_to_the_even_unit",
    ),
    Plant(
        "pot-paid-to-two-winners",
        "two transitions of one round are both written, each with its winner",
        _STORE,
        (
            (
                'where pot_id = $1 and version = $2 and upto_id = $3"""\n_READ_ON',
                'where pot_id = $1 and $2::bigint is not null and $3::bigint is not null"""\n_READ_ON',
            ),
            ("    if await tx.execute(sql, *args) != 1:", "    if await tx.execute(sql, *args) > 1:"),
        ),
        "I21",
        _FLOW_TESTS + "test_two_winners_of_one_round_get_it_once",
    ),
    Plant(
        "pot-paid-and-not-reset",
        "the next round begins with what was paid out",
        _STORE,
        (
            (
                "'open', $3, $4, 0, $5",
                "'open', $3, $4, coalesce((select least(o.contributed, $4::bigint - $3::bigint)"
                " from jackpot_rounds o where o.pot_id = $1 and o.number = $2 - 1), 0), $5",
            ),
        ),
        "I21",
    ),
    Plant(
        "pot-keeps-a-refunded-stake",
        "the share of a stake that went back stays in the pot",
        _RULES,
        (("    if before is None or before.number != pot.number:\n", "    if stake.direction is Direction.BACK:\n"),),
        "I21",
        _CORE_TESTS + "test_a_pot_holds_the_exact_shares_of_the_stakes_that_stand",
    ),
    Plant(
        "pot-share-of-a-paid-round-taken-back",
        "a refunded stake takes its share out of a round that it never fed",
        _RULES,
        (("    if before is None or before.number != pot.number:\n", "    if before is None:\n"),),
        "I21",
        _CORE_TESTS + "test_a_share_of_a_round_that_was_won_stays_with_the_winner",
    ),
    Plant(
        "pot-above-its-ceiling",
        "a pot grows beyond what players were promised",
        _RULES,
        (("max(half_even(parts), 0), pot.round_ceiling - pot.amount)", "max(half_even(parts), 0), half_even(parts))"),),
        "I21",
        _CORE_TESTS + "test_a_pot_never_stands_above_its_ceiling_and_the_rest_is_carried",
    ),
    Plant(
        "pot-win-never-owed",
        "a round is won and nobody is paid",
        _FLOW,
        (("    for win in due:\n", "    for win in due[1:]:\n"),),
        "I21",
        _FLOW_TESTS + "test_the_stake_that_fills_the_pot_is_paid_by_a_payment_of_type_4",
    ),
    Plant(
        "pot-skips-a-late-entry",
        "an entry that commits after a higher one is never read",
        _STORE,
        (
            (
                "\"select upto_id from trail where strand = 'ledger' order by link desc limit 1\"",
                '"select max(entry_id) from ledger"',
            ),
        ),
        "I21",
        _FLOW_TESTS + "test_an_entry_that_commits_late_is_not_skipped",
    ),
    Plant(
        "pot-ceiling-lowered",
        "a ceiling falls below what players were promised",
        _RULES,
        (("    if pot.contributed and wanted < pot.ceiling:\n", "    if pot.contributed and wanted < 0:\n"),),
        "I21",
        _CORE_TESTS + "test_a_ceiling_only_rises_once_stakes_have_fed_the_round",
    ),
    Plant(
        "pot-given-up-goes-to-the-provider",
        "a win that a person gave up goes into the provider's own jackpot",
        "croupier.core.effects",
        (("    pot_id = pot_of(bet.bet_ref)\n", "    pot_id = None if bet.payments else pot_of(bet.bet_ref)\n"),),
        "I21",
        _FLOW_TESTS + "test_a_win_that_a_person_gave_up_is_back_in_the_pots_account",
    ),
)

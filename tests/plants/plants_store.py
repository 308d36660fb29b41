"""Plants of the store: rows that are not written, written twice, or by somebody who lost the race for them."""

from __future__ import annotations

from tests.plants.planting import Plant

_TRAIN = "croupier.store.money.group_commit"
_SQL = "croupier.store.money.group_commit_sql"
_CALLS = "croupier.store.money.calls"

STORE = (
    Plant(
        "conditional-update-dropped",
        "a decision is written over one that it has not seen",
        _SQL,
        (
            (
                "where t.{key} = m.{key} and t.version = m.version - 1{held} returning m.n, {told})",
                "where t.{key} = m.{key}{held} returning m.n, {told})",
            ),
        ),
        "I11",
    ),
    Plant(
        "loser-writes-its-rows",
        "a decision that lost its race still writes its payments and entries",
        _SQL,
        (('WON = "(i.n in (select h.n from heads h)) is true"', 'WON = "true"'),),
        "I1 I5",
    ),
    Plant(
        "loser-sends-its-calls",
        "what a decision that lost its race had planned is sent",
        _TRAIN,
        (
            (
                "            if written is not None:\n",
                "            lost, written = written, written or item.decision\n            if written is not None:\n",
            ),
            ("                item.done.set_result(written)", "                item.done.set_result(lost)"),
        ),
        "I5",
    ),
    Plant(
        "loser-told-that-it-won",
        "a decision that lost its race is told that it was written",
        _TRAIN,
        (("                item.done.set_result(written)", "                item.done.set_result(item.decision)"),),
        "I3 I6",
    ),
    Plant(
        "lost-commit-believed",
        "a commit whose connection was lost is taken for written",
        _TRAIN,
        (
            (
                '        marks = {row["mark"] for row in rows}\n',
                '        marks = {item.mark for item in items} | {row["mark"] for row in rows}\n',
            ),
        ),
        "I3 I6",
    ),
    Plant(
        "lost-commit-re-run-blindly",
        "a birth whose connection was lost is written once more under the next version",
        _TRAIN,
        (
            (
                "            await self._look_again(items, error)",
                "            from dataclasses import replace\n\n"
                "            for item in items:\n"
                "                d = item.decision\n"
                "                before = d.before and replace(d.before, version=d.after.version)\n"
                "                after = replace(d.after, version=d.after.version + 1) if before else d.after\n"
                "                item.decision = replace(d, before=before, after=after)\n"
                "            self._report(items, await self._write(items, sql))",
            ),
        ),
        "I5",
    ),
    Plant(
        "entries-not-written",
        "a decision is committed without its ledger entries",
        _TRAIN,
        (("    for e in decision.entries:", "    for e in decision.entries[1:]:"),),
        "I5 I13 owed",
    ),
    Plant(
        "payment-not-updated",
        "the outcome of a payment is not written when its bet does not change",
        _TRAIN,
        (
            (
                "        if old_payment is not payment and old_payment != payment:",
                "        if old_payment != payment and (before is None or before.state is not after.state):",
            ),
        ),
        "I5 owed",
    ),
    Plant(
        "call-not-written",
        "what must be sent is committed without the call that sends it",
        _TRAIN,
        (
            (
                "        if old_call is not call and old_call != call:",
                "        if old_call != call and slot in old_calls:",
            ),
        ),
        "I10",
    ),
    Plant(
        "done-call-stays",
        "a call that is done stays in the queue",
        _TRAIN,
        (
            (
                'rows["gone"].extend((n, after.subject_id, slot) for slot in old_calls if slot not in after.calls)',
                'rows["gone"].extend((n, after.subject_id, slot) for slot in old_calls if slot in after.payments)',
            ),
        ),
        "I10",
    ),
    Plant(
        "incident-not-written",
        "a decision is committed without its incidents",
        _TRAIN,
        (
            (
                'rows["incident"].extend((n, key, i.name, i.note, now_ms, now_ms) for i in decision.incidents)',
                'rows["incident"].extend((n, key, i.name, i.note, now_ms, now_ms) for i in decision.incidents[1:])',
            ),
        ),
        "I4",
    ),
    Plant(
        "incident-cause-replaced",
        "the second cause of an incident replaces the first, which no person has seen",
        "croupier.store.incident_notes",
        (
            (
                "left(array_to_string(excluded.note || array_remove({CAUSES}, excluded.note), '{BEFORE}'), {LONGEST})",
                "left(excluded.note, {LONGEST})",
            ),
        ),
        "incidents",
        test="tests/store/oversight/test_incidents.py::test_each_cause_is_kept_the_newest_first",
    ),
    Plant(
        "call-dropped-after-a-crash",
        "what a dead process was sending is never taken up again",
        _CALLS,
        (
            (
                "c.work = r.work and c.ready_ms <= $1\n",
                "c.work = r.work and c.ready_ms <= $1 and c.lease_owner is null\n",
            ),
        ),
        "I4",
    ),
    Plant(
        "lease-not-respected",
        "a call is taken from a process that is just performing it",
        _CALLS,
        (
            ("c.work = r.work and c.ready_ms <= $1\n", "c.work = r.work and c.due_ms <= $1\n"),
            ("    where c.ready_ms <= $1 for update", "    where c.due_ms <= $1 for update"),
        ),
        "I17",
    ),
    Plant(
        "taken-up-without-a-new-version",
        "a process that slept through its lease may still write its decision",
        _CALLS,
        (("    update {table} s set version = s.version + 1\n", "    update {table} s set version = s.version\n"),),
        "I10",
    ),
    Plant(
        "lock-missing",
        "two processes take up the same call",
        _CALLS,
        ((" for update of s, c skip locked)", ")"),),
        "I17",
    ),
    Plant(
        "claim-behind-a-full-casino",
        "the end of a claim's time waits until its casino has room for calls",
        _CALLS,
        (("case l.work when 'none' then $4::int else", "case l.work when '' then $4::int else"),),
        "I4",
    ),
    Plant(
        "ids-used-again-after-a-restart",
        "a new process gives out the ids of the last one",
        "croupier.store.money.ids",
        (
            (
                "select nextval('money_ids') as id from generate_series(1, $1::int)",
                "select last_value + g as id from money_ids, generate_series(1, $1::int) g",
            ),
        ),
        "I4 I9",
    ),
    Plant(
        "one-id-for-two-bets",
        "an id is given out again",
        "croupier.store.money.ids",
        (("        return self._free.pop()", "        return self._free[-1]"),),
        "I4 I9",
    ),
    Plant(
        "bets-found-without-their-provider",
        "a betId is looked up among the bets of all providers",
        "croupier.store.money.bets",
        (
            (
                '" join unnest($1::bigint[], $2::text[]) k(provider_id, bet_ref) using (provider_id, bet_ref)"',
                '" join unnest($1::bigint[], $2::text[]) k(provider, bet_ref) using (bet_ref)"',
            ),
            (
                "        return {(b.provider_id, b.bet_ref): b for b in bets}",
                "        found = {b.bet_ref: b for b in bets}\n"
                "        return {k: found[k[1]] for k in keys if k[1] in found}",
            ),
        ),
        "I9 I14",
    ),
    Plant(
        "balance-below-zero-told",
        "a stake out of a win that the casino has not accepted yet: the provider is told less than nothing",
        "croupier.store.money.balances",
        ((" and b.amount + since.moved + k.net - booked.moved >= 0", ""),),
        "I3",
        test="tests/store/money/test_balances.py::test_less_than_nothing_is_unknown_until_the_win_behind_it_is_accepted",
    ),
    Plant(
        "balance-with-the-wrong-sign",
        "a stake raises the balance that is told",
        "croupier.store.money.balances",
        (
            (
                "('stake', 'payout_return', 'cashback_cancel') then -1 else 1 end)",
                "('payout_return') then -1 else 1 end)",
            ),
        ),
        "I3",
    ),
)

"""The meaning of each ledger entry, including entries of a person's decision, which are all named `correction`.

Owns: reading a correction by the accounts it moves between, and by its event where two acts move alike. Never: judges.
What a person ended unpaid, and what followed it, stays a correction. Spec: money.md 6.4.
"""

from __future__ import annotations

ACTS = """
acts as (
    select *, case when why <> 'correction' or author is null then why
        else case split_part(source, '/', 1) || ' to ' || split_part(target, '/', 1)
            when 'wallets to open-bets' then 'stake_accepted' when 'wallets to suspense' then 'accepted_late'
            when 'open-bets to ggr' then 'settled' when 'open-bets to owed' then 'return_decided'
            when 'wallets to ggr' then 'taken_back' when 'wallets to cashback' then 'taken_back'
            when 'suspense to wallets' then 'returned' when 'owed to wallets' then (
                select case when detail like '%"kind":"bet_return"%' then 'returned' else 'paid' end
                from events e where e.subject_id = l.subject_id and e.version = l.version)
            when 'ggr to owed' then (
                select case when detail ~ '"kind":"(payout|bet_return)"' then why when state = 'returned'
                    then 'return_decided' else 'won' end
                from events e where e.subject_id = l.subject_id and e.version = l.version)
            else why end end as act
    from ledger l)"""
"""A common table expression: the columns of the ledger and `act`, the name that the normal course would have given."""

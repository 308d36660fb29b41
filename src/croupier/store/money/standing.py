"""The states of bets, cashbacks and payments that are not over, as SQL lists: `state in {STANDING_BETS}`.

Owns: these lists. Never: the auditor's, which repeats them so that it shares no code with the writers.
"""

from typing import Final

STANDING_BETS: Final = "('asked', 'unwanted', 'unclaimed', 'on', 'undoing')"
"""Bets that are still to be decided. The text must equal the predicate of the index `bets_standing`."""
STANDING_CASHBACKS: Final = "('owed', 'cancel_wanted', 'taking_back')"
"""Cashbacks that are still to be paid or rolled back."""
UNDECIDED_PAYMENTS: Final = "('created', 'sent')"
"""Payments without an outcome that the hub itself pursues."""
OPEN_PAYMENTS: Final = "('created', 'sent', 'parked')"
"""The same, with payments held for review."""
PARKED_PAYMENTS: Final = (
    "p.state = 'parked' and p.subject_id in (select subject_id from incidents where name = 'parked')"
)
"""Condition of parked payments, for `payments p`. Each has its incident, closed or open, so nothing looks through all payments."""

"""The states of bets, cashbacks and payments that are not over, as SQL lists: `state in {STANDING_BETS}`.

Owns: these lists. Never: the auditor's, which says them once more so that it shares no code with the writers.
"""

from typing import Final

STANDING_BETS: Final = "('asked', 'unwanted', 'unclaimed', 'on', 'undoing')"
"""Bets of which something is still to be decided: the predicate of the index `bets_standing`, so it must be said alike."""
STANDING_CASHBACKS: Final = "('owed', 'cancel_wanted', 'taking_back')"
"""Cashbacks that are still to be paid or taken back."""
UNDECIDED_PAYMENTS: Final = "('created', 'sent')"
"""Payments without an outcome that the hub itself pursues."""
OPEN_PAYMENTS: Final = "('created', 'sent', 'parked')"
"""The same with those that wait for a person."""

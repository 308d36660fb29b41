"""The note of an incident that happens again: each different cause is kept, the newest first.

A bet has one incident of a name. Its stake and its return may both be parked, and a person must see both causes.

Owns: the SQL of an incident that happens again, for decisions (group_commit_sql) and for all others (oversight.incidents).
Never: raises an incident. Spec: operate.md 2 (`croupier incidents`).
"""

from __future__ import annotations

BEFORE = "; before: "
"""What separates a cause from an earlier one."""
LONGEST = 2000
"""The length in characters beyond which the oldest causes are cut off."""
CAUSES = f"string_to_array(t.note, '{BEFORE}')"
NOTE = f"left(array_to_string(excluded.note || array_remove({CAUSES}, excluded.note), '{BEFORE}'), {LONGEST})"
"""The note of `incidents as t` after another occurrence."""
AGAIN = f"on conflict (subject_id, name) do update set times = t.times + 1, last_ms = excluded.last_ms, note = {NOTE}, closed_ms = null"
"""The clause of an insert into `incidents as t`: one that happens again is counted, and open again if it was closed."""


def causes(note: str) -> list[str]:
    """Return the causes in a note, the newest first."""
    return note.split(BEFORE)

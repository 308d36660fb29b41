"""`set KEY=VALUE...`: the words that change settings of a casino, provider, game or pot.

Owns: reading the words. Never: which settings there are (store.profiles, store.games). Spec: operate.md 4.
"""

from __future__ import annotations

from croupier.admin_api.errors import CommandError


def told_in(assignments: list[str]) -> dict[str, str]:
    """Return each key with its text. Raises CommandError for a malformed assignment."""
    given: dict[str, str] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key:
            raise CommandError(
                f"{assignment[:60]!r} is no KEY=VALUE: write key, equals sign and value without blanks, such as enabled=false"
            )
        if key in given:
            raise CommandError(f"{key[:60]} is there twice: say it once")
        given[key] = value
    return given

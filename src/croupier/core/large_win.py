"""Large wins: thresholds, and the incident for a win beyond one of them.

Owns: the thresholds of provider, game, casino and hub, the choice of the narrowest, and the incident in the decision
that owes the win. Never: refuses or delays a win (provider.md 3.3). The odd compared is win divided by stake; `winOdd`
of a request is informational. Spec: provider.md 3.3.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from croupier.core.bet import Bet
from croupier.core.counterparty import Casino, Provider
from croupier.core.draft import Decision, Draft, Terms
from croupier.core.money import exponent, format_amount
from croupier.core.session import Game


@dataclass(frozen=True, slots=True)
class Threshold:
    """One configured limit: its decimal text, and the level that set it."""

    text: str
    setter: str

    @property
    def value(self) -> Fraction:
        """The exact value of the text."""
        return Fraction(self.text)


def watch_win(d: Draft[Bet], win: int) -> None:
    """Raise an incident if a win of `win` minor units, decided now, is beyond a threshold."""
    bet = d.subject
    beyond = list(_beyond(d.terms, bet, win))
    if beyond:
        stake = f"on a stake of {format_amount(bet.stake, bet.currency)}" if bet.stake else "without a stake"
        d.incident("large_win", f"{format_amount(win, bet.currency)} {bet.currency} {stake}: {', '.join(beyond)}"[:500])


def beyond_limits(decision: Decision[Bet]) -> str | None:
    """Return the note of the incident that this decision raises for a win beyond a threshold, or None."""
    return next((incident.note for incident in decision.incidents if incident.name == "large_win"), None)


def max_win(casino: Casino, provider: Provider, game: Game | None) -> Threshold | None:
    """Return the largest win that a game is launched with: the narrowest limit, or None if none is set."""
    return _narrowest(_set_by("max_win", (casino, provider, game)))


def max_odd(casino: Casino, provider: Provider, game: Game | None) -> Threshold | None:
    """Return the largest ratio of win to stake: the narrowest limit, the provider's listed one included."""
    found = [*_set_by("max_odd", (casino, provider, None))]
    if game is not None:
        limits = ((game.own_max_odd, f"game {game.name}"), (game.max_odd, f"what provider {provider.name} lists"))
        # Some providers list an odd of 0 for "no limit".
        found += [Threshold(text, setter) for text, setter in limits if text is not None and Fraction(text) > 0]
    return _narrowest(found)


def _large_win(terms: Terms, provider: Provider) -> Threshold | None:
    found = _narrowest(_set_by("large_win", (terms.casino, provider, terms.game)))
    if found is None and terms.large_win is not None:
        return Threshold(terms.large_win, "the hub")
    return found


def _beyond(terms: Terms, bet: Bet, win: int) -> Iterable[str]:
    """Yield a text for every threshold that the win passes. `large_win` includes its own value, the others exclude it."""
    assert terms.provider is not None
    if win == 0:
        return
    won, odd = Fraction(win, 10 ** exponent(bet.currency)), Fraction(win, bet.stake) if bet.stake else None
    large, most = _large_win(terms, terms.provider), max_win(terms.casino, terms.provider, terms.game)
    highest = max_odd(terms.casino, terms.provider, terms.game)
    if large is not None and won >= large.value:
        yield f"at least the large_win {large.text} of {large.setter}"
    if most is not None and won > most.value:
        yield f"above the max_win {most.text} of {most.setter}"
    if highest is not None and odd is not None and odd > highest.value:
        yield f"above the max_odd {highest.text} of {highest.setter}"


def _set_by(name: str, levels: tuple[Casino, Provider, Game | None]) -> Iterable[Threshold]:
    for level, what in zip(levels, ("casino", "provider", "game"), strict=True):
        text = None if level is None else getattr(level, name)
        if level is not None and text is not None:
            yield Threshold(text, f"{what} {level.name}")


def _narrowest(found: Iterable[Threshold]) -> Threshold | None:
    return min(found, key=lambda one: one.value, default=None)

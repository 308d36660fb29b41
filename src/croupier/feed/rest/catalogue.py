"""Names of game types, states, bet events and outcomes, in the languages that the feed has.

Owns: the words and the fallback: a tag loses its last part until a language is found, and English is the last resort
(RFC 4647 3.4). Never: a query. Spec: feed.md 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from croupier.core.draws import DrawState, PlayState

LAST_RESORT: Final = "en"
Words = Mapping[str, str]
Names = Mapping[str, Words]
"""A key to its words by language."""

STATES: Final[Names] = {
    str(int(DrawState.AWAITING)): {"en": "Awaiting", "de": "Erwartet"},
    str(int(DrawState.ACTIVE)): {"en": "Active", "de": "Läuft"},
    str(int(DrawState.FINISHED)): {"en": "Finished", "de": "Beendet"},
    str(int(DrawState.REVIEW)): {"en": "Under review", "de": "In Prüfung"},
    str(int(DrawState.CANCELLED)): {"en": "Cancelled", "de": "Abgesagt"},
}
PLAY_STATES: Final[Names] = {
    str(int(PlayState.BETTING)): {"en": "Place your bets", "de": "Einsätze bitte"},
    str(int(PlayState.GAME_ACTION)): {"en": "Game in play", "de": "Spiel läuft"},
}
TYPES: Final[Mapping[int, Words]] = {
    3: {"en": "Poker draw", "de": "Poker-Ziehung"},
    23: {"en": "Keno", "de": "Keno"},
    24: {"en": "Wheel", "de": "Glücksrad"},
    25: {"en": "Crash", "de": "Crash"},
}
OTHER_TYPE: Final[Words] = {"en": "Game type {}", "de": "Spieltyp {}"}
EVENTS: Final[Mapping[int, Mapping[str, tuple[Words, Names]]]] = {
    3: {
        "winner": (
            {"en": "Stronger hand", "de": "Stärkere Hand"},
            {
                "red": {"en": "Red", "de": "Rot"},
                "black": {"en": "Black", "de": "Schwarz"},
                "tie": {"en": "Tie", "de": "Gleichstand"},
            },
        ),
        "category": (
            {"en": "Winning combination", "de": "Gewinnkombination"},
            {
                "high card": {"en": "High card", "de": "Höchste Karte"},
                "pair": {"en": "Pair", "de": "Paar"},
                "flush": {"en": "Flush", "de": "Flush"},
                "straight": {"en": "Straight", "de": "Straße"},
                "three of a kind": {"en": "Three of a kind", "de": "Drilling"},
                "straight flush": {"en": "Straight flush", "de": "Straight Flush"},
            },
        ),
    },
    23: {
        "numbers": (
            {"en": "Numbers", "de": "Zahlen"},
            {"hit": {"en": "Drawn", "de": "Gezogen"}, "miss": {"en": "Not drawn", "de": "Nicht gezogen"}},
        )
    },
    24: {
        "colour": (
            {"en": "Colour", "de": "Farbe"},
            {
                "grey": {"en": "Grey", "de": "Grau"},
                "blue": {"en": "Blue", "de": "Blau"},
                "green": {"en": "Green", "de": "Grün"},
                "gold": {"en": "Gold", "de": "Gold"},
                "violet": {"en": "Violet", "de": "Violett"},
            },
        )
    },
    25: {
        "multiplier": (
            {"en": "Cash-out", "de": "Auszahlung"},
            {"reached": {"en": "Reached", "de": "Erreicht"}, "crashed": {"en": "Crashed", "de": "Abgestürzt"}},
        )
    },
}


def language_for(tag: str) -> str:
    """The language of the feed for this tag: `de-CH` gets `de`, a language that is not there gets `en`."""
    parts = tag.lower().split("-")
    while parts:
        if "-".join(parts) in STATES["1"]:
            return "-".join(parts)
        parts.pop()
    return LAST_RESORT


def translations(tag: str, game_types: Iterable[int]) -> dict[str, object]:
    """Names of the game types that are known and of these, in the language for the tag."""
    language = language_for(tag)
    return {str(number): _names(number, language) for number in sorted({*TYPES, *game_types})}


def _names(number: int, language: str) -> dict[str, object]:
    events = EVENTS.get(number, {})
    return {
        "Name": TYPES.get(number, OTHER_TYPE)[language].format(number),
        "States": _in(language, STATES),
        "PlayStates": _in(language, PLAY_STATES),
        "Events": {
            key: {"Name": words[language], "Outcomes": _in(language, outcomes)}
            for key, (words, outcomes) in events.items()
        },
    }


def _in(language: str, names: Names) -> dict[str, str]:
    return {key: words[language] for key, words in names.items()}

"""The rules that decide whether a casino's player may open a game or bet in it, each with a name.

Owns: the names, their order and their words. Never: a switch itself, or who set it (views.why). Spec: casino.md 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.core.words import Word


class Rule(Word):
    """The rules, in the order in which they are checked. The value is shown to casinos."""

    CASINO_CLOSED = "casino_closed"
    CASINO_DISABLED = "casino_disabled"
    CURRENCY_NOT_PLAYED = "currency_not_played"
    PROVIDER_CLOSED = "provider_closed"
    PROVIDER_DISABLED = "provider_disabled"
    GAME_UNKNOWN = "game_unknown"
    GAME_DISABLED = "game_disabled"
    GAME_NOT_LISTED = "game_not_listed"
    GAME_OFF_FOR_CASINO = "game_off_for_casino"
    GAME_OFF_FOR_CURRENCY = "game_off_for_currency"
    GAME_OFF_FOR_COUNTRY = "game_off_for_country"
    PLAYER_CURRENCY = "player_currency"
    PLAYER_BLOCKED = "player_blocked"
    PLAYER_EXCLUDED = "player_excluded"
    RECOVERING = "recovering"
    PROVIDER_UNANSWERED = "provider_unanswered"


WORDS: dict[Rule, str] = {
    Rule.CASINO_CLOSED: "the casino is closed",
    Rule.CASINO_DISABLED: "the casino is disabled",
    Rule.CURRENCY_NOT_PLAYED: "the casino does not play in this currency",
    Rule.PROVIDER_CLOSED: "the provider of the game is closed",
    Rule.PROVIDER_DISABLED: "the provider of the game is disabled",
    Rule.GAME_UNKNOWN: "there is no such game",
    Rule.GAME_DISABLED: "the game is switched off for every casino",
    Rule.GAME_NOT_LISTED: "the provider does not list the game any more",
    Rule.GAME_OFF_FOR_CASINO: "the game is switched off for this casino",
    Rule.GAME_OFF_FOR_CURRENCY: "the game is switched off in this currency",
    Rule.GAME_OFF_FOR_COUNTRY: "the game is switched off in this country",
    Rule.PLAYER_CURRENCY: "the player has another currency, and a player has one",
    Rule.PLAYER_BLOCKED: "the player is blocked",
    Rule.PLAYER_EXCLUDED: "the casino excluded the player",
    Rule.RECOVERING: "the hub was restored from a backup and reconciles with this casino",
    Rule.PROVIDER_UNANSWERED: "the provider did not open the game",
}
"""What each rule says."""


@dataclass(frozen=True, slots=True)
class Hindrance:
    """One rule that keeps a game or a bet from a player, and who set it."""

    rule: Rule
    words: str
    set_by: str | None = None
    """A person's name, `casino NAME` or `provider NAME`; None if nobody noted it."""
    set_ms: int | None = None
    reason: str | None = None
    until_ms: int | None = None

"""What the fields of this protocol mean, with examples, for the OpenAPI document.

Owns: the words. Never: a field's type or bounds (messages). Spec: provider.md 3 and 4.
"""

from __future__ import annotations

from typing import Final

from croupier.kit.field_words import FieldWords

_W = FieldWords
WORDS: Final = {
    "_responseCode": _W("The code of the answer: see the table of error codes.", 1),
    "balance": _W("The player's balance in major units, with this call in it; left out where it is not known.", 90.5),
    "WalletAnswer.currency": _W("The player's currency, ISO 4217.", "EUR"),
    "field": _W("The field that is wrong, beside code 6.", "betAmount", errors_only=True),
    "message": _W(
        "The problem in English. For people; programs read the code.", "betAmount must be above zero", errors_only=True
    ),
    "betId": _W(
        "The provider's id of the bet. It makes the call idempotent: repeat with the same id.",
        "b-1001",
    ),
    "gameRoundId": _W("The provider's id of the round.", "r-77"),
    "betAmount": _W("The stake.", "10.00"),
    "winAmount": _W("The win; 0 is a loss.", "25.00"),
    "winOdd": _W("The multiplier of the win; kept as written.", "2.5"),
    "sessionId": _W(
        "The session of the launch; if present it must be that of the path.", "8d0c6f3e5a4b4d1f9e2a7c6b5d4e3f21"
    ),
    "session_id": _W("The sessionId of the launch.", "8d0c6f3e5a4b4d1f9e2a7c6b5d4e3f21"),
    "draws": _W("Draws as they stand now, whole."),
    "jackpots": _W("Meters as they stand now."),
    "gameType": _W("The number of the live game.", 23),
    "gameEdition": _W("The number of the draw within its game type. It rises.", 1001),
    "version": _W("The version of what is said of this draw; a higher one replaces a lower one.", 1),
    "state": _W("1 awaiting, 2 active, 3 finished, 4 review, 5 cancelled.", 2),
    "playState": _W("1 betting, 2 game action.", 1),
    "round": _W("The current round of the draw.", 1),
    "startsAt": _W("Begin of the draw.", 1795910000000),
    "bettingEndsAt": _W("End of betting.", 1795910045000),
    "endsAt": _W("End of the draw.", 1795910060000),
    "results": _W("The results, once there are any.", [4, "grey"]),
    "proof": _W(
        "What shows that the draw is fair, such as a commitment and, after betting, its seed.",
        {"commitment": "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"},
    ),
    "jackpotId": _W("The provider's id of the jackpot.", "harbour"),
    "name": _W("The name that players see.", "Harbour jackpot"),
    "amount": _W("What the jackpot stands at.", "12500.40"),
    "currency": _W("The currency of the amount, ISO 4217.", "EUR"),
}
"""Field to its meaning and an example."""

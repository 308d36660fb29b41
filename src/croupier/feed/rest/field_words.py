"""What the fields of the feed mean, with examples, for the OpenAPI document.

Owns: the words. Never: a field's type or bounds (operations). Spec: feed.md 1 and 2.
"""

from __future__ import annotations

from typing import Final

from croupier.kit.field_words import FieldWords

_W = FieldWords
WORDS: Final = {
    "PartnerClientId": _W("The casino's number, as `croupier casino add` printed it.", 2201),
    "Secret": _W("The casino's client secret, as `croupier casino add` printed it.", "the-secret-of-the-casino"),
    "ErrorCode": _W("200 is success; the other codes are in the table of error codes.", 200),
    "Message": _W("The code in words. For people; programs read the code.", "Success"),
    "Value": _W("The contents."),
    "AccessToken": _W(
        "The bearer of the other calls and of the socket.", "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.e30.c2ln"
    ),
    "TokenType": _W("How the token is sent: `Authorization: Bearer TOKEN`.", "Bearer"),
    "ExpiresIn": _W("Seconds for which the token is valid.", 3600),
    "Scope": _W("What the token may do.", "feeds"),
    "GameResults": _W("The draws, newest first."),
    "Total": _W("How many draws there are in all, if they can be counted.", 1),
    "i": _W("The hub's number of the draw.", 77),
    "t": _W("Game type.", 24),
    "ge": _W("Edition.", 1001),
    "lrId": _W("The number of the game type's last finished draw.", 76),
    "s": _W("1 awaiting, 2 active, 3 finished, 4 review, 5 cancelled.", 3),
    "ps": _W("1 betting, 2 game action.", 2),
    "cr": _W("Current round.", 1),
    "sdt": _W("Start.", "2026-11-28T12:00:00Z"),
    "edt": _W("End.", "2026-11-28T12:01:00Z"),
    "res": _W("Results.", [4, "grey"]),
    "proof": _W(
        "What shows that the draw is fair.",
        {"commitment": "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"},
    ),
    "TypeNames.Name": _W("The name of the game type.", "Harbour Lights"),
    "EventNames.Name": _W("The name of the bet event.", "Colour"),
    "Outcomes": _W("Key of an outcome to its name.", {"grey": "Grey"}),
    "Events": _W("Key of a bet event to its names.", {"colour": {"Name": "Colour", "Outcomes": {"grey": "Grey"}}}),
    "PlayStates": _W("Play state to its name.", {"1": "Betting"}),
    "States": _W("State to its name.", {"3": "Finished"}),
    "TranslationsEnvelope.Value": _W(
        "Game type to its names.",
        {"24": {"Name": "Harbour Lights", "States": {"3": "Finished"}, "PlayStates": {"1": "Betting"}, "Events": {}}},
    ),
    "JackpotId": _W("The id of the jackpot.", "harbour"),
    "JackpotRecord.Name": _W("The name of the jackpot.", "Harbour jackpot"),
    "Amount": _W("What it stands at.", "12500.40"),
    "Currency": _W("The currency of the amount, ISO 4217.", "EUR"),
    "UpdatedAt": _W("When it was last told.", "2026-11-28T12:00:00Z"),
    "GameType": _W("The game type.", 24),
    "GameId": _W("The hub's number of the draw.", 77),
    "GameEdition": _W("The edition.", 1001),
    "StartTs": _W("Unix seconds.", 1795867200),
    "FinishTs": _W("Unix seconds.", 1795953600),
    "Offset": _W("So many are left out.", 0),
    "Count": _W("The most that are listed.", 10),
    "lng": _W("BCP 47.", "de"),
}
"""Field to its meaning and an example."""

"""What the fields of this protocol mean, with examples, for the OpenAPI document.

Owns: the words. Never: a field's type or bounds (operations). Spec: casino.md 1.
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
    "AccessToken": _W("The bearer of the other calls.", "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.e30.c2ln"),
    "TokenType": _W("How the token is sent: `Authorization: Bearer TOKEN`.", "Bearer"),
    "ExpiresIn": _W("Seconds for which the token is valid.", 3600),
    "Scope": _W("What the token may do.", "casino"),
    "keys": _W("The public keys. During a rotation there are two."),
    "Jwk.alg": _W("The signature algorithm.", "RS256"),
    "Jwk.kty": _W("The type of the key.", "RSA"),
    "Jwk.use": _W("What the key is for: signatures.", "sig"),
    "Jwk.kid": _W("The key's id; the header of a JWT names it.", "2026-11"),
    "Jwk.n": _W("Modulus of an RSA key, base64url.", "sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1Wl"),
    "Jwk.e": _W("Exponent of an RSA key, base64url.", "AQAB"),
    "Jwk.crv": _W("The curve of another key.", "P-256"),
    "Jwk.x": _W("First coordinate, base64url.", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
    "Jwk.y": _W("Second coordinate of P-256, base64url.", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    "SentValue.Data": _W("The data of the JWT: JSON as text.", '{"BetId":1201}'),
    "SentValue.ClientId": _W("The casino to which the hub sent it.", "PartnerClient-2201"),
    "BetId": _W("The hub's number of the bet, as the make had it.", 1201),
    "CashbackId": _W("The hub's number of the cashback, as the make had it.", 1202),
    "PartnerUserId": _W("The casino's name of the player, as the make had it.", "anna"),
    "PartnerTransactionId": _W(
        "The casino's own id of this booking. It names no other booking of this casino.", "tx-5501"
    ),
    "BetPayment.TransactionType": _W(
        "Which payment of the bet: -1 stake, 1 payout, 2 return of the stake, -2 return of the payout, 4 jackpot win.",
        -1,
    ),
    "BetPaymentId.TransactionType": _W(
        "Which payment of the bet: -1 stake, 1 payout, 2 return of the stake, -2 return of the payout, 4 jackpot win.",
        -1,
    ),
    "TransactionType": _W("Which payment of the cashback: 1 pays it, -1 takes it back.", 1),
    "BetNotAccepted.ErrorCode": _W("Why it was not booked: a code of the table in the guide of casinos.", 103802),
    "CashbackNotAccepted.ErrorCode": _W("Why it was not booked: a code of the table in the guide of casinos.", 103779),
    "Amount": _W("The amount, in the player's currency.", "10.00"),
    "TaxAmount": _W("The tax withheld of it, where the casino has a tax rate.", "0.50"),
    "Balance": _W("The player's balance after the booking.", "90.00"),
}
"""Field to its meaning and an example."""

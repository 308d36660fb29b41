"""One casino, a few orders, and what the casino says: the samples the codec tests share."""

from __future__ import annotations

import json
from dataclasses import replace

from croupier.casinos.betcore_v2.outcomes import DEFAULT_CODES
from croupier.core.commands import Order
from croupier.core.counterparty import Casino
from croupier.core.readings import Contents, PaymentKind
from croupier.core.refusals import CasinoNo

CASINO = Casino(2201, "Corner Bet", "betcore_v2", "https://casino.test/hub", ("EUR",))
OWN_CODES = replace(CASINO, codes={CasinoNo.NOT_ENOUGH_FUNDS: 21, CasinoNo.BET_UNKNOWN: 404})
STAKE = Order(5, PaymentKind.STAKE, "p-7", 1250, None, "EUR")
CASHBACK = Order(8, PaymentKind.CASHBACK, "p-7", 2500, None, "EUR")
REFUSALS = {code: reason for reason, code in DEFAULT_CODES.items()}

WHOLE: dict[str, object] = {
    "BetId": 5,
    "PartnerUserId": "p-7",
    "PartnerTransactionId": "t-1",
    "TransactionType": -1,
    "Amount": "12.50",
}
SAID = Contents(5, "p-7", PaymentKind.STAKE, "12.50", None, "t-1")


def body(code: object = 200, value: object = ..., message: object = "said") -> bytes:
    fields: dict[str, object] = {"ErrorCode": code, "Message": message}
    if value is not ...:
        fields["Value"] = value
    return json.dumps(fields).encode()


def without(*names: str) -> dict[str, object]:
    return {name: value for name, value in WHOLE.items() if name not in names}

"""Plants of the protocol folders: what the wire says is read or written as something else."""

from __future__ import annotations

from tests.plants.planting import Plant

_CODEC = "croupier.casinos.betcore_v2.codec"

PROTOCOLS = (
    Plant(
        "float-on-the-wire",
        "the amount of a make is a JSON float",
        _CODEC,
        (
            (
                '        "Amount": format_amount(order.amount, order.currency),\n    }\n    return fields',
                '        "Amount": float(format_amount(order.amount, order.currency)),\n    }\n    return fields',
            ),
        ),
        "I15",
    ),
    Plant(
        "acknowledgement-read-as-acceptance",
        "a 200 without an outcome is taken for the outcome",
        _CODEC,
        (
            (
                "    if value is None or value == []:\n        return Received()  # an empty list is how some platforms",
                "    value = value or {}  # an empty list is how some platforms",
            ),
            (
                '    if value.get("PartnerTransactionId") is None:\n        return Received()\n    try:',
                "    try:",
            ),
        ),
        "I2 I6",
    ),
    Plant(
        "odd-code-read-as-refusal",
        "a code that stands in no table is taken for a no",
        _CODEC,
        (
            (
                "    if isinstance(reading, CasinoNo):\n        return No(",
                "    if reading is None:\n        reading = CasinoNo.OTHER\n"
                "    if isinstance(reading, CasinoNo):\n        return No(",
            ),
        ),
        "I6",
    ),
    Plant(
        "no-body-read-as-refusal",
        "an answer without an envelope is taken for a no",
        _CODEC,
        (
            (
                "def read_ack(status: int, body: bytes, casino: Casino, *, order: Order) -> Acknowledgement:",
                "def read_ack(status: int, body: bytes, casino: Casino, *, order: Order) -> Acknowledgement:\n"
                "    read = _read_ack(status, body, casino, order)\n"
                '    return No(CasinoNo.OTHER, 0, "") if isinstance(read, Unknown) else read\n\n\n'
                "def _read_ack(status: int, body: bytes, casino: Casino, *, order: Order) -> Acknowledgement:",
            ),
        ),
        "I6",
    ),
    Plant(
        "types-mixed-up",
        "a return of the stake goes out as a payout's taking back, and the other way round",
        "croupier.casinos.betcore_v2.messages",
        (
            ("        PaymentKind.BET_RETURN: 2,", "        PaymentKind.BET_RETURN: -2,"),
            ("        PaymentKind.PAYOUT_RETURN: -2,", "        PaymentKind.PAYOUT_RETURN: 2,"),
        ),
        "I2 I5",
    ),
    Plant(
        "error-told-as-no",
        "a provider is told no for good where nothing is known",
        "croupier.providers.betcore_v1.outcomes",
        (("    Refusal.OUTCOME_UNKNOWN: WireOutcome(99, 504),", "    Refusal.OUTCOME_UNKNOWN: WireOutcome(4, 403),"),),
        "I3 I6",
    ),
    Plant(
        "unreadable-accept-taken-in",
        "whatever a casino sends to the accept is answered with success",
        "croupier.casinos.betcore_v2.routes",
        (("    if heard.verdict is Verdict.OK:", "    if True:"),),
        "I2",
    ),
    Plant(
        "stale-make-never-expires",
        "the envelope of a make is good for an hour, so that one that was held up is booked long after",
        "croupier.casinos.betcore_v2.signing",
        (("SENT_JWT_LIFETIME_S: Final = 10", "SENT_JWT_LIFETIME_S: Final = 3600"),),
        "I7",
    ),
    Plant(
        "amount-through-a-float",
        "a provider's JSON number is read through a float",
        "croupier.kit.strictjson",
        (("    return str(value)\n\n\ndef boolean", "    return str(float(value))\n\n\ndef boolean"),),
        "I15",
    ),
)

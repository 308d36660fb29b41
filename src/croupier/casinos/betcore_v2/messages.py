"""The wire format of betcore_v2: paths, the envelope, and the fields of a payment.

Owns: every spelling that several calls share, and how each such field is read. Never: what a code means
(`outcomes`), nor what a message means for a payment (`codec`). null is read as absent.
Spec: casino.md 0, 1.1, 2 and 2.2; money.md 1.2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from croupier.casinos.betcore_v2.outcomes import OK, HubAnswer
from croupier.core import money
from croupier.core.readings import Contents, PaymentKind
from croupier.kit import names, strictjson
from croupier.kit.strictjson import BadField, Json, NumberText, Record

HUB_ROOT: Final = "/mis-api/api/v2"
HUB_TOKEN: Final = "/auth/token"  # noqa: S105 - a path
HUB_JWKS: Final = "/auth/jwks"
HUB_VERIFY: Final = "/auth/verify"
HUB_ACCEPT: Final = "/payments/accept"
HUB_CASHBACK_ACCEPT: Final = "/cashback-payments/accept"

USERS_AUTH: Final = "/users/auth"
USERS_DATA: Final = "/users/data"
PAYMENTS_MAKE: Final = "/payments/make"
PAYMENTS_MAKE_LIST: Final = "/payments/make-list"
PAYMENTS_INFO: Final = "/payments/info"
PAYMENTS_CLOSE: Final = "/payments/close"
CASHBACK_MAKE: Final = "/cashback-payments/make"

MAX_CODE: Final = 2**31 - 1
"""The largest ErrorCode. A body with a larger number is not an envelope."""
MAX_ID: Final = 2**53 - 1
"""The largest BetId and CashbackId: every JSON reader keeps such a number exact."""
MAX_SHOWN_CHARS: Final = 60
"""Characters of an unreadable value that are shown."""
_WHOLE: Final = re.compile(r"[0-9]{1,64}")
MAX_MESSAGE: Final = 256
"""Characters of a casino's Message that are stored."""


# The two bodies that come without an envelope.


def read_token_request(body: bytes) -> tuple[int, str]:
    """Return PartnerClientId and Secret of a `POST /auth/token`. Raises BadJson, BadField."""
    fields = strictjson.record(strictjson.loads(body))
    casino_id = strictjson.integer(fields, "PartnerClientId", low=0, high=MAX_CODE)
    return casino_id, strictjson.text(fields, "Secret", 256)


def read_verify_request(body: bytes) -> str:
    """Return the JWT of a `POST /auth/verify`, whose body is a JSON string. Raises BadJson, BadField."""
    return strictjson.text({"body": strictjson.loads(body)}, "body", strictjson.MAX_BYTES)


# The envelope.


class Envelope(NamedTuple):
    """The envelope of every casino message: a code, an optional text and an optional value."""

    code: int
    message: str | None
    value: Json


def read_envelope(body: bytes) -> Envelope:
    """Read an envelope. Raises BadJson, BadField.

    ErrorCode is a JSON number and nothing else, as documented: `"200"` is no success and `"500"` no refusal.
    A long Message is cut, not refused.
    """
    fields = strictjson.record(strictjson.loads(body))
    code = strictjson.integer(fields, "ErrorCode", low=-MAX_CODE, high=MAX_CODE)
    message = strictjson.optional_text(fields, "Message", strictjson.MAX_BYTES, min_len=0)
    return Envelope(code, message and message[:MAX_MESSAGE], fields.get("Value"))


def write_envelope(answer: HubAnswer, value: Mapping[str, object] | None = None) -> bytes:
    """Return the bytes of one answer of the hub: ErrorCode and Message, and Value only if it is given."""
    if value is None and answer is OK:
        return _OK
    fields: dict[str, object] = {"ErrorCode": answer.code, "Message": answer.message}
    if value is not None:
        fields["Value"] = value
    return compact(fields).encode()


def token_value(access_token: str, scope: str, expires_in_s: int) -> dict[str, object]:
    """Return the Value of a successful `POST /auth/token`."""
    return {"AccessToken": access_token, "TokenType": "Bearer", "ExpiresIn": expires_in_s, "Scope": scope}


def sent_value(data: str, client_id: str) -> dict[str, object]:
    """Return the Value of a successful `POST /auth/verify`."""
    return {"Data": data, "ClientId": client_id}


def compact(value: object) -> str:
    """Return JSON text without white space, in ASCII, with keys in the given order. Equal values give equal bytes."""
    return _ENCODER.encode(value)


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_OK: Final = compact({"ErrorCode": OK.code, "Message": OK.message}).encode()
"""The answer to nearly every accept."""


class PlainPayment(msgspec.Struct, rename="pascal"):
    """The Value of an accept of a bet's payment, as it nearly always comes (kit.plain_json)."""

    bet_id: int
    partner_user_id: str
    partner_transaction_id: str
    transaction_type: int
    amount: msgspec.Raw
    balance: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class PlainAccept(msgspec.Struct, rename="pascal"):
    """An accept with such a Value."""

    error_code: int
    message: str
    value: PlainPayment


# A payment, as make, accept and info all state it.


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a payment, bet or cashback: the name of its id field and the numbers of its payment kinds."""

    id_name: str
    types: Mapping[PaymentKind, int]
    kinds: Mapping[int, PaymentKind]
    """The payment kind of each TransactionType."""
    required: tuple[str, ...]
    """The names of the required fields of a payment."""


def _subject(id_name: str, types: Mapping[PaymentKind, int]) -> Subject:
    kinds = {number: kind for kind, number in types.items()}
    return Subject(
        id_name, types, kinds, (id_name, "PartnerUserId", "PartnerTransactionId", "TransactionType", "Amount")
    )


BETS: Final = _subject(
    "BetId",
    {
        PaymentKind.STAKE: -1,
        PaymentKind.PAYOUT: 1,
        PaymentKind.BET_RETURN: 2,
        PaymentKind.PAYOUT_RETURN: -2,
        PaymentKind.JACKPOT: 4,
    },
)
CASHBACKS: Final = _subject("CashbackId", {PaymentKind.CASHBACK: 1, PaymentKind.CASHBACK_CANCEL: -1})


def subject_of(kind: PaymentKind) -> Subject:
    """Return BETS or CASHBACKS, whichever a payment of this kind belongs to."""
    return CASHBACKS if kind in CASHBACKS.types else BETS


def states_whole(value: Record, subject: Subject) -> bool:
    """Return whether every required field is present. `read_contents` checks that each can be read."""
    return all(value.get(name) is not None for name in subject.required)


def read_contents(
    value: Record, subject: Subject, *, whole: bool = False, known: tuple[int, PaymentKind] | None = None
) -> Contents:
    """Read the stated fields of a payment. Raises BadField for an unreadable field, and with `whole` for a missing one.

    `known`: its id and its kind, if the caller has read them.
    """
    if whole:
        for name in subject.required:
            if value.get(name) is None:
                raise BadField(name, "is missing")
    stated = value.get
    return Contents(
        known[0] if known else None if stated(subject.id_name) is None else read_id(value, subject.id_name),
        None if stated("PartnerUserId") is None else read_ref(value, "PartnerUserId"),
        known[1] if known else None if stated("TransactionType") is None else read_kind(value, subject),
        None if stated("Amount") is None else read_amount(value, "Amount"),
        None if stated("TaxAmount") is None else read_amount(value, "TaxAmount"),
        None if stated("PartnerTransactionId") is None else read_ref(value, "PartnerTransactionId"),
    )


def read_ref(value: Record, field: str) -> str:
    """Read a required id of the casino, of a player or a payment. It must be a safe name (kit.names).

    Some platforms write ids as numbers: a whole number is read as its digits.
    """
    told = value.get(field)
    if type(told) is str and names.plain(told):
        return told
    if isinstance(told, NumberText) and _WHOLE.fullmatch(told):
        return str(told)
    return read_word(value, field)


def read_word(value: Record, field: str) -> str:
    """Read a required text without invisible characters."""
    word = strictjson.text(value, field)
    problem = names.problem_of(word)
    if problem is not None:
        raise BadField(field, problem)
    return word


def read_flag(value: Record, field: str) -> bool:
    """Read an optional flag on which no money depends: true, 1 and "true" are True, everything else is False."""
    told = value.get(field)
    return told is True or (isinstance(told, str) and told.lower() in ("1", "true"))


def abbreviated(value: Json) -> str:
    """Return an unreadable field's value as short printable text for logs and incidents."""
    written = str(value) if isinstance(value, NumberText) else json.dumps(value)
    return written if len(written) <= MAX_SHOWN_CHARS else f"{written[:MAX_SHOWN_CHARS]}..."


def read_id(value: Record, field: str) -> int:
    """Read a required BetId or CashbackId."""
    return strictjson.integer(value, field, low=0, high=MAX_ID)


def read_kind(value: Record, subject: Subject) -> PaymentKind:
    """Read a required TransactionType."""
    kind = subject.kinds.get(strictjson.integer(value, "TransactionType", low=-MAX_CODE, high=MAX_CODE))
    if kind is None:
        raise BadField("TransactionType", f"must be one of {sorted(subject.types.values())}")
    return kind


def read_amount(value: Record, field: str) -> str:
    """Read a required amount, `"12.50"` or `12.5`, as text. The player's currency may still refuse its decimals."""
    amount = strictjson.amount_text(value, field)
    if not money.is_amount(amount):
        raise BadField(field, money.GRAMMAR_TEXT)
    return amount


def read_balance(value: Record) -> str | None:
    """Read an optional Balance. It only informs, so an unreadable one is None."""
    return if_readable(read_amount, value, "Balance")


def if_readable(read: Callable[[Record, str], str], value: Record, field: str) -> str | None:
    """Read a field that decides nothing: None if it is missing or unreadable."""
    if value.get(field) is None:
        return None
    try:
        return read(value, field)
    except BadField:
        return None

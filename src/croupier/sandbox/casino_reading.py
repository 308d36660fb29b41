"""Strict readers of the hub's calls to a casino.

Owns: the shape of each `data` of casino.md 2, and of the claims around it. Never: the handling. An
unreadable field is refused by its name; a readable field that deviates from the contract becomes a complaint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from croupier.kit import strictjson
from croupier.kit.strictjson import BadField, Json, Record
from croupier.sandbox.bookings import BookKind, Demand, TransactionType

MAX_LIST = 100
MAX_ID = 2**53
LIFE_S = 10
_MAKE = {"BetId", "PartnerUserId", "TransactionType", "Amount", "TaxAmount", "PromoCode", "TagId"}
_CASHBACK = {"CashbackId", "PartnerUserId", "TransactionType", "Amount", "TaxAmount", "TagId"}
_CASHBACK_KINDS = {1, -1}

Complain = Callable[[str], None]


def payment_demand(document: Json, complain: Complain) -> Demand:
    """Read one element of payments/make or make-list. Raises BadField."""
    obj = strictjson.record(document, "data")
    _only(obj, _MAKE, complain)
    strictjson.optional_text(obj, "PromoCode")
    strictjson.optional(_tag, obj, "TagId")
    return _demand(obj, BookKind.PAYMENTS, "BetId", kinds=set(TransactionType))


def cashback_demand(document: Json, complain: Complain) -> Demand:
    """Read the data of cashback-payments/make. Raises BadField."""
    obj = strictjson.record(document, "data")
    _only(obj, _CASHBACK, complain)
    strictjson.optional(_tag, obj, "TagId")
    return _demand(obj, BookKind.CASHBACK, "CashbackId", kinds=_CASHBACK_KINDS)


def demand_list(document: Json, complain: Complain) -> list[Demand]:
    """Read the data of payments/make-list, which is an array. Raises BadField."""
    if not isinstance(document, list):
        raise BadField("data", "must be an array")
    if not 1 <= len(document) <= MAX_LIST:
        raise BadField("data", f"must have 1 to {MAX_LIST} elements")
    demands = [payment_demand(element, complain) for element in document]
    if len({demand.subject_id for demand in demands}) != len(demands):
        complain("make-list: two payments of one bet are in flight at once")
    return demands


def bet_id(document: Json, complain: Complain) -> int:
    """Read the data of payments/info. Raises BadField."""
    obj = strictjson.record(document, "data")
    _only(obj, {"BetId"}, complain)
    return strictjson.integer(obj, "BetId", low=1, high=MAX_ID)


def closing(document: Json, complain: Complain) -> tuple[int, bool]:
    """Read BetId and IsClosed from the data of payments/close. Raises BadField."""
    obj = strictjson.record(document, "data")
    _only(obj, {"BetId", "IsClosed"}, complain)
    return strictjson.integer(obj, "BetId", low=1, high=MAX_ID), strictjson.boolean(obj, "IsClosed")


def player_of(document: Json, complain: Complain) -> str:
    """Read PartnerUserId from the data of users/data. Raises BadField."""
    obj = strictjson.record(document, "data")
    _only(obj, {"PartnerUserId", "TagId", "ExtraData"}, complain)
    return strictjson.text(obj, "PartnerUserId")


def refresh_token(document: Json, complain: Complain) -> str:
    """Read RefreshToken from the data of users/auth. Raises BadField."""
    obj = strictjson.record(document, "data")
    _only(obj, {"RefreshToken", "TagId"}, complain)
    return strictjson.text(obj, "RefreshToken", 4096)


def data_of(claims: Mapping[str, Json], client_id: int, complain: Complain) -> Json:
    """Return the `data` of a verified token for this casino. Raises BadField, BadJson."""
    if strictjson.text(claims, "client_id") != f"PartnerClient-{client_id}":
        raise BadField("client_id", "names another casino")
    not_before = strictjson.integer(claims, "nbf", low=0, high=MAX_ID)
    if strictjson.integer(claims, "exp", low=0, high=MAX_ID) != not_before + LIFE_S:
        complain("envelope: exp is not nbf + 10")
    if set(claims) != {"nbf", "exp", "iss", "data", "client_id"}:
        complain("envelope: the claims are not exactly nbf, exp, iss, data, client_id")
    return strictjson.loads(strictjson.text(claims, "data", 2**20).encode(), max_bytes=2**20)


def _demand(obj: Record, book: BookKind, id_field: str, *, kinds: set[TransactionType] | set[int]) -> Demand:
    kind = strictjson.integer(obj, "TransactionType", low=-9, high=9)
    if kind not in kinds:
        raise BadField("TransactionType", "is not one of the contract")
    return Demand(
        book=book,
        subject_id=strictjson.integer(obj, id_field, low=1, high=MAX_ID),
        kind=kind,
        player=strictjson.text(obj, "PartnerUserId"),
        amount=strictjson.text(obj, "Amount", 64),
        tax=strictjson.optional_text(obj, "TaxAmount", 64),
    )


def _tag(obj: Record, field: str) -> int:
    return strictjson.integer(obj, field, low=0, high=MAX_ID)


def _only(obj: Record, known: set[str], complain: Complain) -> None:
    """Record a complaint for unknown fields and nulls, which the contract does not have. They are not refused."""
    for name, value in obj.items():
        if name not in known:
            complain(f"data: unknown field {name[:40]!r}")
        elif value is None:
            complain(f"data: {name} is null")

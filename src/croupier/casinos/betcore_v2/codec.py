"""Encoder of orders into the `data` text of a call, and decoder of a casino's bytes into a closed list of readings.

Owns: both directions of every call of casino.md 2, and the bodies that casinos send. Never: I/O,
signatures, or a guess. An answer that is not understood is `Unknown`; a request that is not understood raises
BadField or BadJson. The keys of `data` never change their order, because a retry sends the same bytes.
Spec: casino.md 1, 1.1, 2 and 2.1; money.md 2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

import msgspec

from croupier.casinos.betcore_v2 import messages
from croupier.casinos.betcore_v2.messages import BETS, Envelope, Subject, compact, subject_of
from croupier.casinos.betcore_v2.outcomes import SUCCESS, CodeMeaning, meaning_of
from croupier.core import money
from croupier.core.commands import Order
from croupier.core.counterparty import Casino
from croupier.core.money import format_amount
from croupier.core.readings import (
    Acknowledgement,
    Authorized,
    AuthReading,
    BalanceKnown,
    BalanceReading,
    BalanceUnreadable,
    CloseDone,
    CloseReading,
    Contents,
    Exists,
    InfoList,
    InfoReading,
    No,
    PaymentKind,
    PaymentOutcome,
    Received,
    Unknown,
    Yes,
)
from croupier.core.refusals import CasinoNo
from croupier.kit import names, plain_json, strictjson
from croupier.kit.strictjson import BadField, BadJson, Json

MAX_REFRESH_TOKEN = 4096
"""Characters of the longest accepted RefreshToken."""

_T = TypeVar("_T")


# To the casino.


def make_data(order: Order) -> str:
    """Return the data of one make, for a payment of a bet or of a cashback."""
    return compact(_order_fields(order))


def list_data(orders: Iterable[Order]) -> str:
    """Return the data of a make-list: an array of the objects that single makes would send."""
    return compact([_order_fields(order) for order in orders])


def _order_fields(order: Order) -> dict[str, object]:
    subject = subject_of(order.kind)
    fields: dict[str, object] = {
        subject.id_name: order.subject_id,
        "PartnerUserId": order.player_ref,
        "TransactionType": subject.types[order.kind],
        "Amount": format_amount(order.amount, order.currency),
    }
    return fields | _optional_fields(order)


def _optional_fields(order: Order) -> dict[str, object]:
    if order.tax is None and order.promo_code is None and order.tag_id is None:
        return {}  # as most orders
    return _present(TaxAmount=_tax_text(order), PromoCode=order.promo_code, TagId=order.tag_id)


def _tax_text(order: Order) -> str | None:
    return None if order.tax is None else format_amount(order.tax, order.currency)


def info_data(bet_id: int) -> str:
    """Return the data of a `payments/info`."""
    return compact({"BetId": bet_id})


def close_data(bet_id: int, *, closed: bool) -> str:
    """Return the data of a `payments/close`. `closed` False reopens the bet."""
    return compact({"BetId": bet_id, "IsClosed": closed})


def auth_data(refresh_token: str, tag_id: int | None) -> str:
    """Return the data of a `users/auth`."""
    return compact({"RefreshToken": refresh_token} | _present(TagId=tag_id))


def balance_data(player_ref: str) -> str:
    """Return the data of a `users/data`."""
    return compact({"PartnerUserId": player_ref})


def _present(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


# The casino's answers.


def read_ack(status: int, body: bytes, casino: Casino, *, order: Order) -> Acknowledgement:
    """Read the answer to the make of one order, by the table in casino.md 2.1."""
    envelope = _read_decisive_envelope(status, body)
    if isinstance(envelope, Unknown):
        return envelope
    reading = meaning_of(envelope.code, casino)
    if reading == "yes":
        return _read_booking(envelope.value, order)
    if reading == "exists":
        return Exists(_read_first_contents(envelope.value, subject_of(order.kind)))
    return _no_or_unknown(envelope, reading)


def read_list_ack(status: int, body: bytes, casino: Casino) -> Received | Unknown:
    """Read the answer to a make-list. For each element it means received, or it means nothing.

    One answer cannot be the outcome of several payments. A Value is therefore ignored, and a refusal code
    refuses no element.
    """
    if status in (404, 405, 501):
        return Unknown(f"HTTP {status}: no list here, says nothing about its elements")
    envelope = _read_decisive_envelope(status, body)
    if isinstance(envelope, Unknown):
        return envelope
    if meaning_of(envelope.code, casino) == "yes":
        return Received()
    return Unknown(f"{_describe(envelope)}: says nothing about the elements of a list")


def read_info(status: int, body: bytes, casino: Casino, *, bet_id: int) -> InfoReading:
    """Read the list of the bet's payments. One unreadable element, or one of another bet, makes the whole list Unknown."""
    envelope = _read_decisive_envelope(status, body)
    if isinstance(envelope, Unknown):
        return envelope
    reading = meaning_of(envelope.code, casino)
    if reading is CasinoNo.BET_UNKNOWN:
        return InfoList(())
    if reading != "yes":
        return Unknown(_describe(envelope))
    return _read_value(lambda value: _read_payments(value, bet_id), envelope)


def read_close(status: int, body: bytes, casino: Casino) -> CloseReading:
    """Read the answer to a close: CloseDone if the casino closed or reopened the bet."""
    envelope = _read_decisive_envelope(status, body)
    if isinstance(envelope, Unknown):
        return envelope
    return CloseDone() if meaning_of(envelope.code, casino) == "yes" else Unknown(_describe(envelope))


def read_auth(status: int, body: bytes, casino: Casino) -> AuthReading:
    """Read the answer to `users/auth`: the player, a definite refusal, or Unknown."""
    envelope = _read_decisive_envelope(status, body)
    if isinstance(envelope, Unknown):
        return envelope
    reading = meaning_of(envelope.code, casino)
    return _read_value(_read_authorized, envelope) if reading == "yes" else _no_or_unknown(envelope, reading)


def read_balance(status: int, body: bytes, casino: Casino) -> BalanceReading:
    """Read the answer to `users/data`: the balance as decimal text, an unreadable one, a definite refusal, or Unknown."""
    envelope = _read_decisive_envelope(status, body)
    if isinstance(envelope, Unknown):
        return envelope
    reading = meaning_of(envelope.code, casino)
    return _read_balance_value(envelope.value) if reading == "yes" else _no_or_unknown(envelope, reading)


def _read_decisive_envelope(status: int, body: bytes) -> Envelope | Unknown:
    """Return the envelope, or Unknown if there is none that decides. The HTTP status alone is never a yes or a no."""
    if status >= 500:
        return Unknown(f"HTTP {status}")
    if 300 <= status < 400:
        return Unknown(f"HTTP {status}: redirects are not followed")
    try:
        return messages.read_envelope(body)
    except (BadJson, BadField) as bad:
        return Unknown(f"HTTP {status} without an envelope: {bad}")


def _no_or_unknown(envelope: Envelope, reading: CodeMeaning) -> No | Unknown:
    if isinstance(reading, CasinoNo):
        return No(reading, envelope.code, envelope.message or "")
    return Unknown(_describe(envelope))


def _describe(envelope: Envelope) -> str:
    """Return one printable line for logs and incidents."""
    message = "".join(character if character.isprintable() else " " for character in envelope.message or "")
    return f"code {envelope.code}" + (f" ({message[:80]})" if message else "")


def _read_value(read: Callable[[Json], _T], envelope: Envelope) -> _T | Unknown:
    """Read the Value of a successful answer. A 200 with an unreadable Value is Unknown."""
    try:
        return read(envelope.value)
    except BadField as bad:
        return Unknown(f"code {envelope.code}, but in Value {bad}")


def _read_booking(value: Json, order: Order) -> Received | Yes | Unknown:
    """Read a 200: an outcome if it states the casino's own id of the payment, otherwise an acknowledgement."""
    if value is None or value == []:
        return Received()  # an empty list is how some platforms write an empty object
    if not isinstance(value, dict):
        return Unknown("code 200, but Value is no object")
    if value.get("PartnerTransactionId") is None:
        return Received()
    try:
        stated = messages.read_contents(value, subject_of(order.kind))
    except BadField as bad:
        return Unknown(f"code 200, but in Value {bad}")
    # A missing field stays missing: filled in from our own order, it would always match.
    return Yes(stated, messages.read_balance(value))


def _read_first_contents(value: Json, subject: Subject) -> Contents | None:
    """Return the first attempt's contents if a 103804 states all of them readably. Otherwise `payments/info` decides."""
    try:
        return messages.read_contents(strictjson.record(value, "Value"), subject, whole=True)
    except BadField:
        return None


def _read_payments(value: Json, bet_id: int) -> InfoList:
    elements = strictjson.listing({"Value": value}, "Value")
    return InfoList(tuple(_read_payment(element, bet_id) for element in elements))


def _read_payment(element: Json, bet_id: int) -> Contents:
    fields = strictjson.record(element, "element")
    contents = messages.read_contents(fields, BETS, whole=True)
    if contents.subject_id != bet_id:
        raise BadField("BetId", "is another bet's")
    # DateTime is not read: it decides nothing, and every platform writes it differently.
    return contents


def _read_authorized(value: Json) -> Authorized:
    fields = strictjson.record(value, "Value")
    return Authorized(
        refresh_token=strictjson.text(fields, "RefreshToken", MAX_REFRESH_TOKEN),
        player_ref=messages.read_ref(fields, "PartnerUserId"),
        currency=strictjson.text(fields, "CurrencyCode", 16),
        is_test=messages.read_flag(fields, "IsTest"),
        language=messages.if_readable(messages.read_word, fields, "Language"),
        country=messages.if_readable(messages.read_word, fields, "CountryCode"),
        balance=messages.read_balance(fields),
    )


def _read_balance_value(value: Json) -> BalanceKnown | BalanceUnreadable:
    told = value.get("Balance") if isinstance(value, dict) else value
    if isinstance(value, dict) and isinstance(told, str) and money.is_balance(told):
        return BalanceKnown(str(told))
    return BalanceUnreadable(messages.abbreviated(told))


# What casinos send.


class Accept(NamedTuple):
    """One accept: the payment and its final outcome at the casino."""

    subject_id: int
    kind: PaymentKind
    outcome: PaymentOutcome


_ACCEPT = msgspec.json.Decoder(messages.PlainAccept)


def _plain_success(body: bytes) -> Accept | None:
    """Return the accept of a bet's payment if it is a plain success in which nothing is wrong; None for any other."""
    told = plain_json.decoded(_ACCEPT, body)
    if told is None or told.error_code != SUCCESS:
        return None
    value = told.value
    kind, amount = BETS.kinds.get(value.transaction_type), plain_json.amount(value.amount)
    named = names.plain(value.partner_user_id) and names.plain(value.partner_transaction_id)
    if kind is None or not 0 <= value.bet_id <= messages.MAX_ID or not named or not money.is_amount(amount):
        return None
    members, balance = 8, None
    if value.balance is not msgspec.UNSET:
        members, balance = 9, plain_json.amount(value.balance)
        if not money.is_amount(balance):
            return None
    contents = Contents(value.bet_id, value.partner_user_id, kind, amount, None, value.partner_transaction_id)
    return Accept(value.bet_id, kind, Yes(contents, balance)) if plain_json.has_only(body, members) else None


def read_accept(body: bytes, casino: Casino, subject: Subject = BETS) -> Accept:
    """Read the body of `payments/accept`, or of `cashback-payments/accept` with CASHBACKS. Raises BadJson, BadField.

    A success must state every field. A refusal must state only the id and type of the payment. A code that is
    in no table is a refusal too, because an accept is final.
    """
    plain = _plain_success(body) if subject is BETS else None
    if plain is not None:
        return plain
    envelope = messages.read_envelope(body)
    value = strictjson.record(envelope.value, "Value")
    subject_id, kind = messages.read_id(value, subject.id_name), messages.read_kind(value, subject)
    reading = meaning_of(envelope.code, casino)
    outcome: PaymentOutcome
    if reading == "yes":
        if envelope.message is None:
            raise BadField("Message", "is missing")
        contents = messages.read_contents(value, subject, whole=True, known=(subject_id, kind))
        outcome = Yes(contents, messages.read_balance(value))
    elif reading == "exists":
        contents = messages.read_contents(value, subject, known=(subject_id, kind))
        outcome = Exists(contents if messages.states_whole(value, subject) else None)
    else:
        outcome = No(reading or CasinoNo.OTHER, envelope.code, envelope.message or "")
    return Accept(subject_id, kind, outcome)

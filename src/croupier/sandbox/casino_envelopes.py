"""Envelopes of the sandbox casino: accepts, inline answers and the list of info.

Owns: the wire form of a booking and of a refusal, and the false statements that a test may demand. Never: a booking.
Spec: casino.md 1.1, 2 and 2.1.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from croupier.sandbox.behaviour import Behaviour, Lie, Repeat
from croupier.sandbox.bookings import (
    EXISTS,
    SUCCESS,
    TEXTS,
    Booked,
    Booking,
    BookingOutcome,
    BookKind,
    Declined,
    Demand,
    RefusalCode,
    plain,
)

SandboxEnvelope = dict[str, object]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID_FIELD = {BookKind.PAYMENTS: "BetId", BookKind.CASHBACK: "CashbackId"}
ACCEPT_PATH = {BookKind.PAYMENTS: "/payments/accept", BookKind.CASHBACK: "/cashback-payments/accept"}


def envelope(code: int, value: object = None, *, message: str | None = None) -> SandboxEnvelope:
    """Return an envelope. Value is left out if it is None."""
    told: SandboxEnvelope = {"ErrorCode": code, "Message": message or TEXTS.get(code, "System error")}
    if value is not None:
        told["Value"] = value
    return told


def contents(booking: Booking) -> SandboxEnvelope:
    """Return the fields of a payment, with TaxAmount if the make had one."""
    facts: SandboxEnvelope = {
        _ID_FIELD[booking.book]: booking.subject_id,
        "PartnerUserId": booking.player,
        "PartnerTransactionId": booking.partner_tx,
        "TransactionType": booking.kind,
        "Amount": plain(booking.amount, booking.currency),
    }
    if booking.tax is not None:
        facts["TaxAmount"] = plain(booking.tax, booking.currency)
    return facts


def listed(booking: Booking, *, unix_times: bool) -> SandboxEnvelope:
    """Return one element of payments/info."""
    seconds, rest_ms = divmod(booking.booked_ms, 1000)
    moment = _EPOCH + timedelta(seconds=seconds, milliseconds=rest_ms)
    when: object = seconds if unix_times else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"DateTime": when, **contents(booking)}


def outcome(demand: Demand, reached: BookingOutcome, repeat: Repeat = Repeat.CONTENTS) -> SandboxEnvelope:
    """Return the outcome as the envelope of an accept or of an inline answer."""
    if isinstance(reached, Declined):
        return envelope(reached.code, {_ID_FIELD[demand.book]: demand.subject_id, "TransactionType": demand.kind})
    if isinstance(reached, Booked):
        return envelope(SUCCESS, contents(reached.booking))
    return exists(reached.booking, repeat)


def exists(booking: Booking, repeat: Repeat) -> SandboxEnvelope:
    """Return a 103804 with the first attempt's contents, or, as a fault, with others or none."""
    if repeat is Repeat.BARE:
        return envelope(EXISTS)
    return envelope(EXISTS, _other_amount(booking) if repeat is Repeat.OTHER else contents(booking))


def accepts(demand: Demand, reached: BookingOutcome, behaviour: Behaviour) -> list[SandboxEnvelope]:
    """Return the accepts to send, in order."""
    honest = outcome(demand, reached, behaviour.repeat)
    if behaviour.accepts and behaviour.lie and isinstance(reached, Booked):
        return _lies(demand, reached.booking, behaviour.lie)
    return [honest] * behaviour.accepts


def _lies(demand: Demand, booking: Booking, lie: Lie) -> list[SandboxEnvelope]:
    truth = contents(booking)
    if lie is Lie.AMOUNT:
        return [envelope(SUCCESS, _other_amount(booking))]
    if lie is Lie.USER:
        return [envelope(SUCCESS, {**truth, "PartnerUserId": f"{booking.player}-twin"})]
    if lie is Lie.THEN_REFUSAL:
        return [envelope(SUCCESS, truth), outcome(demand, Declined(RefusalCode.NOT_ADDED))]
    return [envelope(SUCCESS, truth), envelope(SUCCESS, {**truth, "PartnerTransactionId": f"{booking.partner_tx}-2"})]


def _other_amount(booking: Booking) -> SandboxEnvelope:
    return {**contents(booking), "Amount": plain(booking.amount + 1, booking.currency)}

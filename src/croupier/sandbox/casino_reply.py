"""The reply of the sandbox casino to one call, before it becomes HTTP.

Owns: the record, and the list of behaviours that answer with an envelope. Never: bytes (rubbish, casino_app).
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.sandbox.behaviour import AnswerForm, Behaviour
from croupier.sandbox.bookings import SUCCESS
from croupier.sandbox.casino_envelopes import SandboxEnvelope, envelope

SYSTEM_ERROR = 500
OUTCOME_ANSWERS = {AnswerForm.ACK, AnswerForm.INLINE, AnswerForm.EXISTS, AnswerForm.REFUSE}
"""Answers that are an envelope. A list never gives the last three, because its outcomes come by accept."""


@dataclass(frozen=True, slots=True)
class CasinoReply:
    """One reply. `told` is the envelope, or None if the answer has no readable body."""

    answer: AnswerForm
    status: int
    told: SandboxEnvelope | None


def refused(code: int, message: str | None = None) -> CasinoReply:
    """Return a refusal by acknowledgement."""
    return CasinoReply(AnswerForm.ACK, 200, envelope(code, message=message))


def system_error() -> CasinoReply:
    """Return an internal error, whose effect is unknown to the caller."""
    return CasinoReply(AnswerForm.ERROR, SYSTEM_ERROR, envelope(SYSTEM_ERROR))


def reply_of(behaviour: Behaviour, told: SandboxEnvelope | None) -> CasinoReply:
    """Return the reply of a behaviour. `told` is the envelope that an honest casino would answer."""
    if behaviour.answer is AnswerForm.ERROR:
        return system_error()
    if behaviour.answer is AnswerForm.STATUS:
        return CasinoReply(AnswerForm.STATUS, behaviour.code, None)
    if behaviour.answer in OUTCOME_ANSWERS:
        return CasinoReply(AnswerForm.ACK, 200, told or envelope(SUCCESS))
    return CasinoReply(behaviour.answer, 200, told or envelope(SUCCESS))

"""What one call to the sandbox casino is answered, before it becomes HTTP.

Owns: the record, and which behaviours answer with an envelope. Never: bytes (rubbish, casino_app).
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.sandbox.behaviour import AnswerForm, Behaviour
from croupier.sandbox.bookings import SUCCESS
from croupier.sandbox.casino_envelopes import SandboxEnvelope, envelope

SYSTEM_ERROR = 500
OUTCOME_ANSWERS = {AnswerForm.ACK, AnswerForm.INLINE, AnswerForm.EXISTS, AnswerForm.REFUSE}
"""Answers that are an envelope. A list cannot give the last three: its outcomes come by accept."""


@dataclass(frozen=True, slots=True)
class CasinoReply:
    """What the call gets. `told` is None where the answer has no readable body."""

    answer: AnswerForm
    status: int
    told: SandboxEnvelope | None


def refused(code: int, message: str | None = None) -> CasinoReply:
    """A refusal by acknowledgement."""
    return CasinoReply(AnswerForm.ACK, 200, envelope(code, message=message))


def system_error() -> CasinoReply:
    """The casino broke: nobody can say what it did."""
    return CasinoReply(AnswerForm.ERROR, SYSTEM_ERROR, envelope(SYSTEM_ERROR))


def reply_of(behaviour: Behaviour, told: SandboxEnvelope | None) -> CasinoReply:
    """The reply of a behaviour whose call would honestly be answered `told`."""
    if behaviour.answer is AnswerForm.ERROR:
        return system_error()
    if behaviour.answer is AnswerForm.STATUS:
        return CasinoReply(AnswerForm.STATUS, behaviour.code, None)
    if behaviour.answer in OUTCOME_ANSWERS:
        return CasinoReply(AnswerForm.ACK, 200, told or envelope(SUCCESS))
    return CasinoReply(behaviour.answer, 200, told or envelope(SUCCESS))

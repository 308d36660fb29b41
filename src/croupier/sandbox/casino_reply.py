"""What one call to the sandbox casino is answered, before it becomes HTTP.

Owns: the record, and which behaviours answer with an envelope. Never: bytes (rubbish, casino_app).
"""

from __future__ import annotations

from dataclasses import dataclass

from croupier.sandbox.behaviour import Answer, Behaviour
from croupier.sandbox.bookings import SUCCESS
from croupier.sandbox.outcomes_told import Envelope, envelope

SYSTEM_ERROR = 500
OUTCOME_ANSWERS = {Answer.ACK, Answer.INLINE, Answer.EXISTS, Answer.REFUSE}
"""Answers that are an envelope. A list cannot give the last three: its outcomes come by accept."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the call gets. `told` is None where the answer has no readable body."""

    answer: Answer
    status: int
    told: Envelope | None


def refused(code: int, message: str | None = None) -> Reply:
    """A refusal by acknowledgement."""
    return Reply(Answer.ACK, 200, envelope(code, message=message))


def system_error() -> Reply:
    """The casino broke: nobody can say what it did."""
    return Reply(Answer.ERROR, SYSTEM_ERROR, envelope(SYSTEM_ERROR))


def reply_of(behaviour: Behaviour, told: Envelope | None) -> Reply:
    """The reply of a behaviour whose call would honestly be answered `told`."""
    if behaviour.answer is Answer.ERROR:
        return system_error()
    if behaviour.answer is Answer.STATUS:
        return Reply(Answer.STATUS, behaviour.code, None)
    if behaviour.answer in OUTCOME_ANSWERS:
        return Reply(Answer.ACK, 200, told or envelope(SUCCESS))
    return Reply(behaviour.answer, 200, told or envelope(SUCCESS))

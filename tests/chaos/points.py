"""The named points that each kind of operation passes, and the reason for each that it does not pass.

Owns: the table. Nothing may be missing: every point of the source with every kind of operation is either passed, and then
it is killed there, or its reason stands here. A run that passes what is declared unpassed fails, and so does one that
does not pass what is declared (matrix).
"""

from __future__ import annotations

import re
from pathlib import Path

import croupier
from croupier.core.payment import SLOT_CLOSE
from croupier.core.readings import PaymentKind
from tests.chaos.operations import OPERATIONS

SLOTS = (*(kind.value for kind in PaymentKind), SLOT_CLOSE)
LIST = "list.before_send"
_NAMED = re.compile(r'point\(f?"([^"]+)"\)')


def named_points() -> tuple[str, ...]:
    """Return every named point of the source; those with a slot in their name, for every slot that leaves the hub."""
    found: set[str] = set()
    for path in Path(croupier.__file__).parent.rglob("*.py"):
        for name in _NAMED.findall(path.read_text()):
            start, slotted, end = name.partition("{leased_call.slot}")
            found |= {f"{start}{slot}{end}" for slot in SLOTS} if slotted else {name}
    return tuple(sorted(found))


def _sends(*slots: str) -> set[str]:
    return {f"{slot}.{when}" for slot in slots for when in ("before_send", "after_send")}


_TRAIN = {"group_commit.before_commit", "group_commit.after_commit"}
_ACCEPT = {"accept.before_commit", "accept.after_commit"}
_ALL = _TRAIN | _ACCEPT

PASSED: dict[str, set[str]] = {
    "pay-in": _ALL | _sends("stake") | {"stake.after_commit", "stake.before_answer", LIST},
    "pay-out": _ALL | _sends("payout", "close") | {"payout.before_answer", LIST},
    "pay-in-out": _ALL | _sends("stake", "payout", "close") | {"stake.after_commit", "stake.before_answer", LIST},
    "refund": _ALL | _sends("bet_return", "close") | {LIST},
    "refund in flight": _ALL | _sends("bet_return", "close") | {"stake.before_answer"},
    "take-back": _ALL | _sends("payout_return", "bet_return", "close") | {LIST},
    "accept": _ALL | {"stake.before_answer"},
    "claim": _TRAIN | {"stake.before_answer"},
    "return": _ALL | _sends("bet_return", "close"),
    "give again": _ALL | _sends("payout", "close"),
    "close": _TRAIN | _sends("close"),
    "jackpot": _ALL | _sends("jackpot", "close") | {"payout.before_answer", LIST},
    "cashback": _ALL | _sends("cashback"),
    "cashback cancel": _ALL | _sends("cashback_cancel"),
}
"""Points by operation. To get a list, many players do the same at the same moment."""

NO_SUCH_PAYMENT = "this operation makes no payment of that kind"
BEFORE_IT = "the stake was committed and sent before this operation begins"
NOT_CLOSED = "the bet is still on when this operation ends: nothing is closed"
NO_BET = "a cashback is no bet: no provider waits for an answer, and it is never closed"
NOT_ASKED = "no provider asks for this: the hub does it by itself"
ANSWERED_BEFORE = "the provider was answered before this operation begins"
OTHER_ANSWER = "it is answered at another point"
REFUND_ANSWER = "a refund is answered without a point of its own: group_commit.after_commit is its last"
NO_ACCEPT = "no accept comes in this operation"
LIST_ELSEWHERE = "a list is makes that one commit sends: here each call is due by itself, and its make goes alone"
NO_LISTS = "cashbacks have no list call"
_ASKED_OF_PROVIDERS = frozenset({"stake.after_commit", "stake.before_answer", "payout.before_answer"})
_BY_ITSELF = frozenset({"give again", "close", "return"})
_LONE = frozenset({"accept", "claim", "refund in flight", "close", "give again", "return"})


def reason(operation: str, point: str) -> str:
    """Return why this operation does not pass this point; KeyError without a reason, so that none is invented."""
    slot = point.partition(".")[0]
    cashback = operation.startswith("cashback")
    rules = (
        (point == LIST and cashback, NO_LISTS),
        (point == LIST and operation in _LONE, LIST_ELSEWHERE),
        (point in _ACCEPT and operation in ("claim", "close"), NO_ACCEPT),
        (cashback and (point in _ASKED_OF_PROVIDERS or slot == SLOT_CLOSE), NO_BET),
        (slot == SLOT_CLOSE and operation in ("pay-in", "accept", "claim"), NOT_CLOSED),
        (point in _ASKED_OF_PROVIDERS and operation in _BY_ITSELF, NOT_ASKED),
        (
            point in ("stake.before_answer", "payout.before_answer") and operation in ("refund", "take-back"),
            REFUND_ANSWER,
        ),
        (point == "payout.before_answer", OTHER_ANSWER),
        (point == "stake.before_answer" and operation in ("pay-out", "jackpot"), OTHER_ANSWER),
        (slot == "stake" and operation not in ("pay-in", "pay-in-out", "jackpot") and not cashback, BEFORE_IT),
        (slot in SLOTS, NO_SUCH_PAYMENT),
    )
    for holds, why in rules:
        if holds:
            return why
    raise KeyError((operation, point))


def pairs() -> list[tuple[str, str]]:
    """Return every pair with a kill: point and operation."""
    return [(point, operation.name) for operation in OPERATIONS for point in sorted(PASSED[operation.name])]


def unpassed() -> dict[tuple[str, str], str]:
    """Return every other pair, with its reason."""
    return {
        (point, operation.name): reason(operation.name, point)
        for operation in OPERATIONS
        for point in named_points()
        if point not in PASSED[operation.name]
    }

"""Behaviours of the sandbox casino, each with a name: honest, or one of the faults of money.md 4.2.

Owns: the names of behaviours, their combination, and the dial that chooses one for each call. Never: the behaviour
itself (casino_endpoint). Names are joined by `+` and later ones win: `rubbish:html+books` answers rubbish and books.

- `honest`; `inline` books and answers the outcome at once; `early` sends the accept before it answers.
- `late:S` books now, accepts S seconds later; `books_late:S` books only then; `slow:S` answers S seconds later.
- `silent` books and never tells; `twice` tells twice; `contradict:amount|user` tells something else,
  `contradict:refusal|transaction` tells the truth and then something else.
- `lost[:hang|cut]` does not book and never answers; `answer_lost[:hang|cut]` books and accepts, without an answer.
- `refuse:CODE` refuses by acknowledgement, `refuse_accept:CODE` by accept; `status:N` is a bare HTTP status.
- `error500[:before|after]` breaks before or after booking; `rubbish[:html|huge|drip|redirect|empty]` books nothing.
- `forget` books and forgets; `double` applies a repeat again; `wrong103804[:other|bare]` answers 103804 falsely.
- `partly` and `reordered` are for lists: only the first half is taken; accepts come in reverse order.
- Modifiers: `books`, `unbooked`, `accepts` (books and tells), `mute` (tells nothing).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from croupier.sandbox.bookings import RefusalCode


class AnswerForm(Enum):
    """The form of the answer to a call."""

    ACK = "ack"
    INLINE = "inline"
    REFUSE = "refuse"
    EXISTS = "exists"
    ERROR = "error"
    STATUS = "status"
    HANG = "hang"
    CUT = "cut"
    HTML = "html"
    HUGE = "huge"
    DRIP = "drip"
    REDIRECT = "redirect"
    EMPTY = "empty"


class Repeat(Enum):
    """The answer to a make that is already booked."""

    CONTENTS = "contents"
    OTHER = "other"
    BARE = "bare"
    PLAIN = "plain"
    """Acknowledged as if it were new, without an outcome."""
    AGAIN = "again"
    """Booked a second time: the worst a casino can do."""


class Lie(Enum):
    """The way in which an accept contradicts the make, or an earlier accept."""

    AMOUNT = "amount"
    USER = "user"
    THEN_REFUSAL = "refusal"
    THEN_TRANSACTION = "transaction"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour. Durations are seconds."""

    words: str = "honest"
    answer: AnswerForm = AnswerForm.ACK
    code: int = 0
    """ErrorCode for REFUSE and for a refusal by accept, HTTP status for STATUS."""
    answer_after_s: float = 0.0
    books: bool = True
    books_after_s: float = 0.0
    accepts: int = 1
    """Number of times that the accept is sent."""
    accept_after_s: float = 0.0
    accept_first: bool = False
    """The accept is sent and answered before the make is answered."""
    repeat: Repeat = Repeat.CONTENTS
    lie: Lie | None = None
    forgets: bool = False
    reversed_list: bool = False
    partial_list: bool = False


HONEST = Behaviour()

Change = dict[str, object]


class UnknownBehaviour(ValueError):
    """The name of the behaviour is unknown, or its argument is invalid."""


def _no(_argument: str) -> Change:
    return {}


def _fixed(**changes: object) -> Callable[[str], Change]:
    return lambda _argument: dict(changes)


def _lost(argument: str) -> Change:
    return {"answer": AnswerForm(argument or "hang"), "books": False, "accepts": 0}


def _answer_lost(argument: str) -> Change:
    return {"answer": AnswerForm(argument or "hang")}


def _refuse(argument: str) -> Change:
    return {"answer": AnswerForm.REFUSE, "code": int(argument or RefusalCode.NOT_ADDED), "books": False, "accepts": 0}


def _refuse_accept(argument: str) -> Change:
    return {"code": int(argument or RefusalCode.NOT_ADDED), "books": False}


def _error500(argument: str) -> Change:
    if argument not in {"", "before", "after"}:
        raise ValueError(argument)
    return {"answer": AnswerForm.ERROR, "books": argument == "after", "accepts": 0}


def _status(argument: str) -> Change:
    return {"answer": AnswerForm.STATUS, "code": int(argument), "books": False, "accepts": 0}


def _rubbish(argument: str) -> Change:
    answer = AnswerForm(argument or "html")
    if answer not in {AnswerForm.HTML, AnswerForm.HUGE, AnswerForm.DRIP, AnswerForm.REDIRECT, AnswerForm.EMPTY}:
        raise ValueError(argument)
    return {"answer": answer, "books": False, "accepts": 0}


def _wrong_exists(argument: str) -> Change:
    return {"answer": AnswerForm.EXISTS, "repeat": Repeat(argument or "other"), "accepts": 0}


_WORDS: Mapping[str, Callable[[str], Change]] = {
    "honest": _no,
    "inline": _fixed(answer=AnswerForm.INLINE, accepts=0),
    "late": lambda argument: {"accept_after_s": float(argument)},
    "books_late": lambda argument: {"books_after_s": float(argument)},
    "silent": _fixed(accepts=0, repeat=Repeat.PLAIN),
    "lost": _lost,
    "answer_lost": _answer_lost,
    "refuse": _refuse,
    "refuse_accept": _refuse_accept,
    "error500": _error500,
    "status": _status,
    "rubbish": _rubbish,
    "slow": lambda argument: {"answer_after_s": float(argument)},
    "twice": _fixed(accepts=2),
    "early": _fixed(accept_first=True),
    "contradict": lambda argument: {"lie": Lie(argument or "amount")},
    "forget": _fixed(forgets=True),
    "double": _fixed(repeat=Repeat.AGAIN),
    "wrong103804": _wrong_exists,
    "partly": _fixed(partial_list=True),
    "reordered": _fixed(reversed_list=True),
    "books": _fixed(books=True),
    "unbooked": _fixed(books=False),
    "accepts": _fixed(books=True, accepts=1),
    "mute": _fixed(accepts=0),
}


def parse(words: str) -> Behaviour:
    """Parse names such as `late:3` or `error500:after+accepts`. Raises UnknownBehaviour."""
    changes: Change = {}
    for word in words.split("+"):
        name, _, argument = word.strip().partition(":")
        read = _WORDS.get(name)
        if read is None:
            raise UnknownBehaviour(f"{name!r} is no behaviour; there are: {', '.join(_WORDS)}")
        try:
            changes.update(read(argument))
        except ValueError:
            raise UnknownBehaviour(f"{name!r} does not take {argument!r}") from None
    return replace(HONEST, words=words, **changes)  # type: ignore[arg-type]  # the table above is its type


MAKES = ("payments/make", "payments/make-list", "cashback-payments/make")
"""The calls to which a rule without a path applies."""


@dataclass(slots=True)
class BehaviourRule:
    """A behaviour for the calls that match every field. None matches all. `remaining` counts the calls that are left."""

    behaviour: Behaviour
    player: str | None = None
    path: str | None = None
    """One path of the contract, `*` for every path; None for the three makes."""
    kind: int | None = None
    """TransactionType."""
    remaining: int | None = None

    def fits(self, path: str, player: str | None, kind: int | None) -> bool:
        """Return whether this rule applies to the call."""
        if self.remaining == 0 or not self._fits_path(path):
            return False
        return self.player in {None, player} and self.kind in {None, kind}

    def _fits_path(self, path: str) -> bool:
        return path in MAKES if self.path is None else self.path in {"*", path}


class Dial:
    """The active rules. The newest matching rule decides; without one the casino is honest."""

    def __init__(self) -> None:
        self._rules: list[BehaviourRule] = []

    def turn(self, rule: BehaviourRule) -> None:
        """Add a rule, which takes precedence over the others."""
        self._rules.append(rule)

    def clear(self) -> None:
        """Remove every rule."""
        self._rules.clear()

    def rules(self) -> list[BehaviourRule]:
        """Return the active rules, oldest first."""
        return [rule for rule in self._rules if rule.remaining != 0]

    def choose(self, path: str, player: str | None = None, kind: int | None = None) -> Behaviour:
        """Return the behaviour for one call or list element. It counts against the rule's `remaining`."""
        for rule in reversed(self._rules):
            if rule.fits(path, player, kind):
                if rule.remaining is not None:
                    rule.remaining -= 1
                return rule.behaviour
        return HONEST

"""What can happen in a story: the closed list of events and of the ways a casino can treat a call.

Every event is one that both worlds can do: the pure one, and the whole hub over HTTP. Owns: the events and their
grammar. Never: tables, times, results (language).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

BET_KINDS = ("stake", "payout", "bet_return", "payout_return", "jackpot")
CASHBACK_KINDS = ("cashback", "cashback_cancel")
KINDS = BET_KINDS + CASHBACK_KINDS
CALLS = ("info", "close")
TIMEOUT_S = 10.0
"""The hub's whole-call limit: how long a casino that says nothing is waited for."""


class BadWords(ValueError):
    """The words are no event; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a casino treats a call. Seconds count from the call; an accept comes only where `accepts` is set."""

    answer: str = "ack"
    """`ack`, `inline`, `exists`, `bare` (exists without Value), `refuse`, `unknown`, `down`, `silent`."""
    books: bool = True
    accepts: bool = True
    first: bool = False
    """The accept comes before the answer, which comes a second later."""
    after_s: float = 0.0
    """When it books and says so by accept."""
    code: int = 0
    """The refusal's code."""
    amount: str | None = None
    """The amount it claims, where it lies."""
    slow_s: float = 0.0
    """How long an answer to `info` is on its way."""
    why: str = ""
    """What an answer that cannot be understood looks like."""


HONEST = Treatment()
_UNKNOWN = ("500", "502", "html", "rubbish", "10MB", "redirect", "dribble", "error 999")
_PHRASES: list[tuple[str, Callable[[Treatment, re.Match[str]], Treatment]]] = [
    (r"honest", lambda t, m: HONEST),
    (r"accepts after ([\d.]+)s", lambda t, m: replace(t, after_s=float(m[1]))),
    (r"accepts first", lambda t, m: replace(t, first=True)),
    (r"inline(?: with amount ([\d.]+))?", lambda t, m: replace(t, answer="inline", accepts=False, amount=m[1])),
    (r"acks", lambda t, m: replace(t, books=False, accepts=False)),
    (r"books", lambda t, m: replace(t, books=True, accepts=False)),
    (r"slow ([\d.]+)s", lambda t, m: replace(t, slow_s=float(m[1]))),
    (r"answer lost", lambda t, m: replace(t, answer="down", why="the connection broke")),
    (r"down", lambda t, m: replace(t, answer="down", books=False, accepts=False, why="no connection")),
    (r"silent", lambda t, m: replace(t, answer="silent", why="no answer in time")),
    (r"refuses (\d+)(?: after ([\d.]+)s)?", lambda t, m: _refuses(t, int(m[1]), m[2])),
    (r"exists without value", lambda t, m: replace(t, answer="bare", accepts=False)),
    (r"exists with amount ([\d.]+)", lambda t, m: replace(t, answer="exists", books=False, accepts=False, amount=m[1])),
    (r"answers (.+)", lambda t, m: _answers(t, m[1])),
]  # fmt: skip


def _refuses(t: Treatment, code: int, after: str | None) -> Treatment:
    """By the answer; by an accept where it acknowledged before."""
    by_accept = after is not None
    return replace(
        t, answer="ack" if by_accept else "refuse", books=False, accepts=by_accept, code=code, after_s=float(after or 0)
    )


def _answers(t: Treatment, what: str) -> Treatment:
    if what not in _UNKNOWN:
        raise BadWords(f"a casino answers one of: {', '.join(_UNKNOWN)}")
    return replace(t, answer="silent" if what == "dribble" else "unknown", why=what)


def treatment(words: str) -> Treatment:
    """Phrases joined by commas, `books, answer lost`. One that says nothing of booking books nothing, if it fails."""
    found = HONEST
    phrases = [p.strip() for p in words.split(",")]
    for phrase in phrases:
        for pattern, change in _PHRASES:
            if matched := re.fullmatch(pattern, phrase):
                found = change(found, matched)
                break
        else:
            raise BadWords(f"{phrase!r} is no way a casino treats a call")
    says_so = any(p == "books" or p.startswith("accepts") for p in phrases)
    if found.answer in {"silent", "unknown", "down", "bare"} and not says_so:
        found = replace(found, books=False, accepts=False)
    return found


# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ask:
    """A provider's request. With a label it is left to itself, and `Answers` looks at it later."""

    verb: str
    bet: str
    round: str | None = None
    stake: str | None = None
    win: str | None = None
    label: str | None = None
    by: str = "p1"
    player: str = "anna"
    session: str = "first"
    """`first`, `second`, `ended` (its time is over) or `unknown`."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The request with this label is answered between the line before and this line's time."""

    label: str


@dataclass(frozen=True, slots=True)
class Treat:
    """From now on the casino treats calls so: makes of one kind, all makes, or one other call."""

    casino: str
    target: str
    """A kind of payment, `info`, `close`, or `all` kinds."""
    how: Treatment


@dataclass(frozen=True, slots=True)
class Says:
    """The casino sends an accept of its own accord."""

    casino: str
    subject: str
    kind: str
    code: int = 200
    tx: str | None = None
    amount: str | None = None
    player: str | None = None
    value: bool = True


@dataclass(frozen=True, slots=True)
class Books:
    """Something happens in the casino's book without a word: `books`, `books again`, `forgets`."""

    casino: str
    subject: str
    kind: str
    how: str


@dataclass(frozen=True, slots=True)
class Decides:
    """A person decides: `accepts`, `gives up`, `retries` a payment; `returns`, `settles` a bet."""

    how: str
    subject: str
    kind: str | None = None
    amount: str | None = None


@dataclass(frozen=True, slots=True)
class PayCashback:
    """A cashback is paid."""

    name: str
    amount: str
    player: str = "anna"


@dataclass(frozen=True, slots=True)
class CancelCashback:
    """A cashback is cancelled."""

    name: str


@dataclass(frozen=True, slots=True)
class HubLife:
    """The hub's process dies, or a new one starts."""

    alive: bool


@dataclass(frozen=True, slots=True)
class Count:
    """How many calls of this sort the casino has got: `makes of b1 stake`, `infos of b1`, `closes`, `reopens`."""

    what: str
    subject: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes until the line's time."""


Event = Ask | Answers | Treat | Says | Books | Decides | PayCashback | CancelCashback | HubLife | Count | Wait

_KIND = "|".join(sorted(KINDS, key=len, reverse=True))
_ID = r"([a-z]\w*)"
_SUM = r"(\S+)"
_PATTERNS: list[tuple[str, Callable[..., Event]]] = [
    (r"wait", Wait),
    (r"(?:([A-Z]): )?pay-in " + f"{_ID} {_ID} {_SUM}", lambda label, b, r, s: Ask("pay-in", b, r, s, label=label)),
    (r"(?:([A-Z]): )?pay-in-out " + f"{_ID} {_ID} {_SUM} {_SUM}",
     lambda label, b, r, s, w: Ask("pay-in-out", b, r, s, w, label=label)),
    (r"(?:([A-Z]): )?pay-out " + f"{_ID}(?: {_ID})? {_SUM}", lambda label, b, r, w: Ask("pay-out", b, r, None, w, label=label)),
    (r"(?:([A-Z]): )?refund " + _ID, lambda label, b: Ask("refund", b, label=label)),
    (r"([A-Z]) answers", Answers),
    (rf"(casino2?): (?:({_KIND}|info|close) )?(.+)", lambda c, target, how: Treat(c, target or "all", treatment(how))),
    (rf"(casino2?) accepts {_ID} ({_KIND})", Says),
    (rf"(casino2?) accepts {_ID} ({_KIND}) as existing( without value)?",
     lambda c, s, k, bare: Says(c, s, k, code=103804, value=bare is None)),
    (rf"(casino2?) refuses {_ID} ({_KIND}) (\d+)", lambda c, s, k, code: Says(c, s, k, code=int(code), value=False)),
    (rf"(casino2?) (books|forgets) {_ID} ({_KIND})", lambda c, how, s, k: Books(c, s, k, how)),
    (rf"(casino2?) books {_ID} ({_KIND}) again", lambda c, s, k: Books(c, s, k, "books again")),
    (rf"person (accepts|gives up|retries) {_ID} ({_KIND})", Decides),
    (rf"person returns {_ID}", lambda s: Decides("returns", s)),
    (rf"person settles {_ID} {_SUM}", lambda s, amount: Decides("settles", s, amount=amount)),
    (rf"cashback {_ID} {_SUM}", PayCashback),
    (rf"cancel {_ID}", CancelCashback),
    (r"hub (dies|starts)", lambda how: HubLife(how == "starts")),
    (rf"count makes of {_ID} ({_KIND})", lambda s, k: Count("makes", s, k)),
    (rf"count (infos|closes|reopens) of {_ID}", Count),
]  # fmt: skip
_RENAMED = {"as": "player"}
_OPTIONS: dict[type, frozenset[str]] = {
    Ask: frozenset({"by", "player", "session"}),
    Says: frozenset({"tx", "amount", "player"}),
    PayCashback: frozenset({"player"}),
}


def event(words: str) -> Event:
    """One event, with its options as `name=value` behind it. Raises BadWords."""
    plain = " ".join(w for w in words.split() if "=" not in w)
    options = dict(w.split("=", 1) for w in words.split() if "=" in w)
    for pattern, build in _PATTERNS:
        if matched := re.fullmatch(pattern, plain):
            return _with_options(build(*matched.groups()), options)
    raise BadWords(f"{plain!r} is no event")


def _with_options(found: Event, options: dict[str, str]) -> Event:
    known = {_RENAMED.get(name, name): value for name, value in options.items()}
    if unknown := known.keys() - _OPTIONS.get(type(found), frozenset()):
        raise BadWords(f"{type(found).__name__} takes no {', '.join(sorted(unknown))}")
    return replace(found, **known)  # type: ignore[arg-type]  # the table above is its type

"""Decisions of a person about payments and bets, each with its author. Spec: operate.md 2, money.md 6.4.

Owns: finding the subject, and the commit. Never: the rules (core.person, core.bet_requests).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from croupier.core import bet_requests, person
from croupier.core.bet import Bet
from croupier.core.bet_requests import CannotDo
from croupier.core.cashback import Cashback
from croupier.core.draft import Decision, Draft, Terms
from croupier.core.money import BadAmount, parse_amount
from croupier.core.proposal import Act, PersonAct
from croupier.core.readings import PaymentKind
from croupier.flows.advance import advance, terms_of
from croupier.flows.hub import Hub

_ABOUT_PAYMENTS: dict[Act, Callable[..., Decision[Any]]] = {
    Act.RETRY: person.retry,
    Act.ACCEPT: person.accept,
    Act.GIVE_UP: person.give_up,
}
_Rule = Callable[[Any, Terms], Decision[Any]]


async def do(hub: Hub, what: PersonAct, *, author: str, proposal_id: int | None = None) -> Bet | Cashback:
    """Carry out an act and return the bet or cashback; raises CannotDo. The event names the proposal, if there is one."""
    detail: dict[str, Any] = {} if proposal_id is None else {"proposal": proposal_id}
    after: Bet | Cashback | None = await _commit(
        hub, what.subject_id, what.kind, rule=_rule(what, author), detail=detail
    )
    if after is None:
        raise _missing(what.subject_id, what.kind)
    return after


async def check(hub: Hub, what: PersonAct, *, author: str) -> None:
    """Raise CannotDo if the act could not be carried out as things are now. Nothing is committed."""
    subject = await _read(hub, what.subject_id, what.kind)
    if subject is None:
        raise _missing(what.subject_id, what.kind)
    _rule(what, author)(subject, await terms_of(hub, subject))


def _rule(what: PersonAct, author: str) -> _Rule:
    return _about_payment(what, what.kind, author) if what.kind is not None else _about_bet(what, author)


def _about_payment(what: PersonAct, kind: PaymentKind, author: str) -> _Rule:
    def rule(subject: Any, terms: Terms) -> Decision[Any]:  # noqa: ANN401 - a Bet or Cashback
        if kind not in subject.payments:
            raise _missing(what.subject_id, kind)
        return _ABOUT_PAYMENTS[what.act](Draft(subject, terms), kind, author=author, reason=what.reason)

    return rule


def _about_bet(what: PersonAct, author: str) -> _Rule:
    def rule(bet: Bet, terms: Terms) -> Decision[Bet]:
        if what.act is Act.RETURN:
            decision = bet_requests.return_by_person(bet, terms, author)
        else:
            win = _amount(what.win or "", bet.currency)
            decision = bet_requests.settle_by_person(bet, win, terms, author=author, above_limits=what.above_limits)
        decision.detail["reason"] = what.reason
        return decision

    return rule


def _amount(win: str, currency: str) -> int:
    try:
        return parse_amount(win, currency)
    except BadAmount as error:
        msg = f"the win {error.why}"
        raise CannotDo(msg) from error


async def _read(hub: Hub, subject_id: int, kind: PaymentKind | None) -> Any:  # noqa: ANN401 - a Bet, a Cashback or None
    cashback = kind in (PaymentKind.CASHBACK, PaymentKind.CASHBACK_CANCEL)
    return await (hub.store.cashbacks if cashback else hub.store.bets).by_id(subject_id)


async def _commit(hub: Hub, subject_id: int, kind: PaymentKind | None, *, rule: _Rule, detail: dict[str, Any]) -> Any:  # noqa: ANN401 - a Bet, a Cashback or None
    def with_detail(subject: Any, terms: Terms) -> Decision[Any]:  # noqa: ANN401 - a Bet or Cashback
        decision = rule(subject, terms)
        decision.detail.update(detail)
        return decision

    decision = await advance(hub, lambda: _read(hub, subject_id, kind), with_detail)
    return None if decision is None else decision.after


def _missing(subject_id: int, kind: PaymentKind | None) -> CannotDo:
    if kind is None:
        return CannotDo(f"there is no bet {subject_id}")
    return CannotDo(f"there is no payment {subject_id}:{kind.value}: `croupier trace {subject_id}` shows what there is")

"""Decisions of a person about payments and bets, each with its author. Spec: operate.md 2, money.md 6.4.

Owns: finding the subject, and the commit. Never: the rules (core.person, core.bet_requests).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from croupier.core import bet_requests, person
from croupier.core.bet import Bet
from croupier.core.bet_requests import CannotDo
from croupier.core.draft import Decision, Draft, Terms
from croupier.core.money import BadAmount, parse_amount
from croupier.core.payment import Payment
from croupier.core.readings import PaymentKind
from croupier.flows.advance import advance
from croupier.flows.hub import Hub

Verb = Literal["retry", "accept", "give-up"]
_VERBS: dict[Verb, Callable[..., Decision[Any]]] = {
    "retry": person.retry,
    "accept": person.accept,
    "give-up": person.give_up,
}


async def decide_payment(
    hub: Hub, subject_id: int, kind: PaymentKind, *, verb: Verb, author: str, reason: str
) -> Payment:
    """Retry a payment, take it as accepted, or give it up; raises CannotDo."""
    cashback = kind in (PaymentKind.CASHBACK, PaymentKind.CASHBACK_CANCEL)
    read: Any = hub.store.cashbacks.by_id if cashback else hub.store.bets.by_id

    def rule(subject: Any, terms: Terms) -> Decision[Any]:  # noqa: ANN401 - a Bet or Cashback
        if kind not in subject.payments:
            raise _missing(subject_id, kind)
        return _VERBS[verb](Draft(subject, terms), kind, author=author, reason=reason)

    decision = await advance(hub, lambda: read(subject_id), rule)
    if decision is None:
        raise _missing(subject_id, kind)
    payment: Payment = decision.after.payments[kind]
    return payment


def _missing(subject_id: int, kind: PaymentKind) -> CannotDo:
    return CannotDo(f"there is no payment {subject_id}:{kind.value}: `croupier trace {subject_id}` shows what there is")


async def return_bet(hub: Hub, bet_id: int, *, author: str, reason: str) -> Bet:
    """Return the stake of an incomplete or settled game; raises CannotDo."""
    return await _by_person(
        hub, bet_id, reason, rule=lambda bet, terms: bet_requests.return_by_person(bet, terms, author)
    )


async def settle_bet(hub: Hub, bet_id: int, win: str, *, author: str, reason: str, above_limits: bool = False) -> Bet:
    """Settle an incomplete game with a win in major units ("0" is a loss); raises CannotDo.

    `above_limits`: the win may exceed `large_win`, `max_win` and `max_odd`.
    """

    def rule(bet: Bet, terms: Terms) -> Decision[Bet]:
        try:
            amount = parse_amount(win, bet.currency)
        except BadAmount as error:
            msg = f"the win {error.why}"
            raise CannotDo(msg) from error
        return bet_requests.settle_by_person(bet, amount, terms, author=author, above_limits=above_limits)

    return await _by_person(hub, bet_id, reason, rule=rule)


async def _by_person(hub: Hub, bet_id: int, reason: str, *, rule: Callable[[Bet, Terms], Decision[Bet]]) -> Bet:
    def with_reason(bet: Bet, terms: Terms) -> Decision[Bet]:
        decision = rule(bet, terms)
        decision.detail["reason"] = reason
        return decision

    decision = await advance(hub, lambda: hub.store.bets.by_id(bet_id), with_reason)
    if decision is None:
        msg = f"there is no bet {bet_id}"
        raise CannotDo(msg)
    return decision.after

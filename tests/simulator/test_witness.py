"""What a casino complains of: a payment of a bet that comes while another one has no outcome."""

from __future__ import annotations

import pytest

from croupier.kit.chance import SeededChance
from croupier.simulator.book import PAYOUT, RETURN, STAKE, BookedPayment, CasinoBook
from croupier.simulator.dials import draw
from croupier.simulator.matrix import Matrix
from croupier.simulator.witness import Stated, Witness

BET = 7


@pytest.mark.parametrize(
    ("payout", "state", "complains"),
    [
        (0, "parked", False),  # a loss that a person works on: there is nothing to wait for
        (0, "sent", True),
        (500, "parked", True),
        (500, "sent", True),
    ],
)
def test_a_return_waits_for_the_outcome_of_the_payout(payout: int, state: str, *, complains: bool) -> None:
    book, hub = CasinoBook(), Matrix()
    witness = Witness(book, draw(SeededChance("dials"), 50), currencies={}, hub=hub)
    for kind, amount in ((STAKE, 200), (PAYOUT, payout)):
        book.write((BET, *kind), BookedPayment("ann", amount, "tx"))
    witness.spoke((BET, *STAKE))
    hub.moved(BET, "payout", state)
    witness.heard((BET, *RETURN), {}, Stated("ann", 200, "EUR", None), signed_s=0)
    assert [(c.invariant, c.subject_id) for c in witness.complaints] == [("I8", BET)] * complains


@pytest.mark.parametrize(("state", "complains"), [("parked", False), ("sent", True)])
def test_a_loss_that_a_person_works_on_may_come_after_the_return(state: str, *, complains: bool) -> None:
    """A copy of its call was long on its way."""
    book, hub = CasinoBook(), Matrix()
    witness = Witness(book, draw(SeededChance("dials"), 50), currencies={}, hub=hub)
    for kind in (STAKE, RETURN):
        book.write((BET, *kind), BookedPayment("ann", 200, "tx"))
    witness.spoke((BET, *STAKE))
    hub.moved(BET, "payout", state)
    witness.heard((BET, *PAYOUT), {}, Stated("ann", 0, "EUR", None), signed_s=0)
    assert [(c.invariant, c.subject_id) for c in witness.complaints] == [("I8", BET)] * complains

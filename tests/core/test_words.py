"""core.words: a word is what the standard enum makes of it, without a Python call for its value and its hash."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec
import pytest

from croupier.core.bet import BetState
from croupier.core.payment import PaymentState
from croupier.core.readings import PaymentKind
from croupier.core.words import Word

EVERY = sorted(Word.__subclasses__(), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_a_list_of_words_is_the_enum_of_the_same_values(kind: type[Word]) -> None:
    plain = Enum(kind.__name__, {word.name: word._value_ for word in kind})  # type: ignore[misc] # made as it runs
    assert [word.value for word in kind] == [one.value for one in plain]
    assert [repr(word) for word in kind] == [repr(one) for one in plain]
    assert all(kind(word.value) is word and kind[word.name] is word for word in kind)


@pytest.mark.parametrize("word", [*PaymentKind, *BetState])
def test_a_word_stays_one_object(word: Word) -> None:
    for made in (copy.deepcopy(word), pickle.loads(pickle.dumps(word)), type(word)(word.value)):
        assert made is word
    assert msgspec.json.decode(msgspec.json.encode(word), type=type(word)) is word


def test_words_of_one_value_are_not_equal() -> None:
    states: dict[Word, str] = {BetState.EXPIRED: "bet", PaymentState.EXPIRED: "payment"}
    assert states[PaymentState.EXPIRED] == "payment"
    assert BetState.EXPIRED.value == PaymentState.EXPIRED.value


@pytest.mark.parametrize("act", [lambda: PaymentKind.STAKE.value, lambda: {PaymentKind.STAKE}], ids=["value", "hash"])
def test_neither_value_nor_hash_runs_python(act: Callable[[], Any]) -> None:
    ran: list[str] = []
    sys.setprofile(lambda frame, what, _: ran.append(frame.f_code.co_name) if what == "call" else None)
    try:
        act()
    finally:
        sys.setprofile(None)
    assert ran == ["<lambda>"]

"""Words: the closed lists of the records, as an enum whose value and hash cost no Python call.

A bet is one record with states, kinds and steps, and each decision looks them up and writes their values some fifty times. The
standard enum does both in Python. Owns: the base class. Never: a list. Spec: decision 0107.
"""

from __future__ import annotations

from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING


class Word(Enum):
    """The base of a closed list. A word is one object in a process, so it is equal to itself alone, as it is in any enum."""

    if not TYPE_CHECKING:  # a type checker knows the value of each word of an enum, and loses it here
        value = property(attrgetter("_value_"), doc="The value, as it is stored.")
        __hash__ = object.__hash__

"""A plant: one bug that is put into one module at its import, only in the process that requests it.

Owns: the record, and the import hook that writes the bug in. Never: touches a file; a plant whose text is not found
exactly once is refused, so that a table of plants cannot outlive the code it was written for.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

WHICH = "PLANT_OF_CROUPIER"
"""The environment variable that names the plant. Not a CROUPIER_ variable: the program would report it."""
SRC = Path(__file__).parents[2] / "src"


class NotOnce(AssertionError):
    """The text that the plant replaces does not occur exactly once."""


@dataclass(frozen=True, slots=True)
class Plant:
    """One bug: its module, the text that it replaces, and what should detect it."""

    name: str
    breaks: str
    """The effect on the money, in one line."""
    where: str
    """The module."""
    edits: tuple[tuple[str, str], ...]
    """Text that occurs there exactly once, and its replacement."""
    expected: str
    """The invariants that it violates, as docs/INVARIANTS.md names them."""
    test: str | None = None
    """The test that fails with it, if the simulator cannot detect it; otherwise None."""

    @property
    def digest(self) -> str:
        """Return a digest that identifies the text of this plant."""
        told = repr((self.name, self.where, self.edits))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def source(self) -> Path:
        """Return the file of the module."""
        return SRC / (self.where.replace(".", "/") + ".py")

    def planted(self, source: str) -> str:
        """Return the module's text with the bug in it; raises NotOnce."""
        for old, new in self.edits:
            if source.count(old) != 1:
                msg = f"{self.name}: {old!r} is {source.count(old)} times in {self.where}"
                raise NotOnce(msg)
            source = source.replace(old, new)
        return source


def plant_of(name: str, breaks: str, where: str, *, old: str, new: str, expected: str) -> Plant:
    """Return a plant of one edit that the simulator is to detect."""
    return Plant(name, breaks, where, ((old, new),), expected)


def install(plant: Plant) -> None:
    """Make this process import the module with the bug in it, from now on."""
    assert plant.where not in sys.modules, f"{plant.where} was imported before {plant.name} was planted"
    sys.meta_path.insert(0, _Finder(plant))


def asked_for(plants: Sequence[Plant]) -> Plant | None:
    """Return the plant that the environment names, if any."""
    name = os.environ.get(WHICH)
    return None if name is None else next(p for p in plants if p.name == name)


class _Finder(MetaPathFinder):
    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._plant.where:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Loader(self._plant, fullname, spec.origin)
        return spec


class _Loader(SourceFileLoader):
    """Compiles the planted text and ignores all caches."""

    def __init__(self, plant: Plant, fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._plant = plant

    def get_code(self, fullname: str) -> CodeType:
        text = self.get_data(self.path).decode()
        return compile(self._plant.planted(text), self.path, "exec", dont_inherit=True)

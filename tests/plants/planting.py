"""A plant: one bug put on purpose into one module as it is imported, and only in the process that asks for it.

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
    """The text that the plant replaces is not there exactly once."""


@dataclass(frozen=True, slots=True)
class Plant:
    """One bug: where it stands, what it replaces, and what should see it."""

    name: str
    breaks: str
    """In one line, what goes wrong with the money."""
    where: str
    """The module."""
    edits: tuple[tuple[str, str], ...]
    """Text that stands there exactly once, and what is put in its place."""
    expected: str
    """The invariants that it breaks, as docs/INVARIANTS.md names them."""
    test: str | None = None
    """The test that fails under it, where the simulator cannot see it; None where it must."""

    @property
    def digest(self) -> str:
        """What tells this plant from any other text of it."""
        told = repr((self.name, self.where, self.edits))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def source(self) -> Path:
        """The file it is planted into."""
        return SRC / (self.where.replace(".", "/") + ".py")

    def planted(self, source: str) -> str:
        """The module's text with the bug in it; raises NotOnce."""
        for old, new in self.edits:
            if source.count(old) != 1:
                msg = f"{self.name}: {old!r} is {source.count(old)} times in {self.where}"
                raise NotOnce(msg)
            source = source.replace(old, new)
        return source


def install(plant: Plant) -> None:
    """From here on this process imports the module with the bug in it."""
    assert plant.where not in sys.modules, f"{plant.where} was imported before {plant.name} was planted"
    sys.meta_path.insert(0, _Finder(plant))


def asked_for(plants: Sequence[Plant]) -> Plant | None:
    """The plant that the environment names, if any."""
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
    """Compiles the planted text anew, whatever lies about in caches."""

    def __init__(self, plant: Plant, fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._plant = plant

    def get_code(self, fullname: str) -> CodeType:
        text = self.get_data(self.path).decode()
        return compile(self._plant.planted(text), self.path, "exec", dont_inherit=True)

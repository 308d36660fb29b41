"""Lets one module be imported from given code instead of its file. Owns: the import hook of the mutants."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import CodeType, ModuleType


class _Given(MetaPathFinder, InspectLoader):
    def __init__(self, name: str, code: CodeType) -> None:
        self._name = name
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = spec_from_loader(fullname, self, origin=self._code.co_filename)
        assert spec is not None
        # A test may look for the module's file.
        spec.has_location = True
        return spec

    def get_code(self, fullname: str) -> CodeType:
        return self._code

    def get_source(self, fullname: str) -> None:
        return None


def install(name: str, code: CodeType) -> None:
    """From here on this process imports `name` from `code`."""
    assert name not in sys.modules, f"{name} was imported before"
    sys.meta_path.insert(0, _Given(name, code))

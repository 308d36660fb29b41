"""Every command's help ends with an example, and every example is a command line that the program understands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from croupier.cli import app
from croupier.cli.examples import EXAMPLES, words_of


def leaves(command: Any, path: tuple[str, ...], context: Any = None) -> Iterator[tuple[str, Any]]:
    """Every command that does something by itself, with its name."""
    inside = command.make_context(path[-1] if path else "croupier", [], parent=context, resilient_parsing=True)
    names = command.list_commands(inside) if hasattr(command, "list_commands") else []
    for name in names:
        yield from leaves(command.get_command(inside, name), (*path, name), inside)
    if not names or (path and command.invoke_without_command):
        yield " ".join(path), command


LEAVES = dict(leaves(get_command(app.app), ()))


def test_every_command_has_an_example_and_nothing_else_has() -> None:
    assert set(EXAMPLES) == set(LEAVES)


@pytest.mark.parametrize("path", LEAVES)
def test_the_example_is_in_the_help_and_is_understood(
    path: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """An option that was renamed must not live on in the help."""
    there = tmp_path / "a file that exists"
    there.touch()
    words = [str(there) if word.endswith(".age") else word for word in words_of(path)]
    LEAVES[path].make_context(path, words)
    assert app.run([*path.split(), "--help"]) == 0
    said = "".join(capsys.readouterr().out.split())
    example = f"croupier {path} {EXAMPLES[path]}".rstrip()
    assert f"Example: {example}".replace(" ", "") in said

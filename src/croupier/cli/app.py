"""The tree of commands, and the handling of every exception that a command raises.

Owns: the entry point, the exit codes (0 done, 1 it failed or something is wrong, 2 wrong usage, 3 something open needs a person), one clear sentence on
standard error, which is JSON with a stable code where `--json` is asked for. Only the command that is asked for is loaded. Never: what a command does. Spec: operate.md 2.
"""

from __future__ import annotations

import difflib
import importlib
import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from croupier.cli.examples import show_examples
from croupier.cli.index import ABOUT, COMMANDS, CommandEntry, at_once, help_text, version_text


class Root(TyperGroup):
    """The program: a group that loads each command when it is needed."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer names no type
        """Return the names of the commands, for the help and for suggestions."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - typer names no type
        """Return the command, or None."""
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else _load(cmd_name, entry)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - typer names no type
        """Return the command of the first word, or fail with a suggestion."""
        try:
            return super().resolve_command(ctx, args)
        except typer.TyperException as unknown:
            near = difflib.get_close_matches(args[0], list(COMMANDS), n=1)
            if near:
                unknown.message = f"{unknown.message.rstrip('.')}: did you mean {near[0]}?"
            raise

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002 - typer names no type
        """Write the help, which loads no command."""
        formatter.write(help_text())


def _load(name: str, entry: CommandEntry) -> Any:  # noqa: ANN401 - typer names no type
    thing = getattr(importlib.import_module(f"croupier.cli.{entry.module}"), entry.thing)
    if isinstance(thing, typer.Typer):
        command: Any = get_group(thing)
        command.name = name
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(name)(thing)
        command = get_command(alone)
    show_examples(command, name)
    return command


app = typer.Typer(name="croupier", help=ABOUT, cls=Root, add_completion=True, pretty_exceptions_enable=False)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(version_text(), nl=False)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """The hub between casinos and game providers: one wallet call, one bet, nothing lost or doubled."""


_PLAIN = (
    (re.compile(r"Input should be a valid integer, .*"), "must be a whole number"),
    (re.compile(r"Input should be a valid number, .*"), "must be a number"),
    (re.compile(r"Input should be greater than or equal to (\S+)"), r"must be at least \1"),
    (re.compile(r"Input should be less than or equal to (\S+)"), r"must be at most \1"),
)
"""The library's messages about a value, and our replacements."""


def main(words: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code."""
    sys.exit(run(sys.argv[1:] if words is None else words))


def run(words: Sequence[str]) -> int:
    """Run a command and return its exit code. Without arguments it shows the help."""
    said = at_once(list(words))
    if said is not None:
        sys.stdout.write(said)
        return 0
    try:
        code = app(list(words), prog_name="croupier", standalone_mode=False)
    except typer.TyperException as wrong:
        _complain(_usage(wrong), "usage", words)
        return wrong.exit_code
    except typer.Abort:
        return 130
    except Exception as error:
        if os.environ.get("CROUPIER_LOG_LEVEL", "").lower() == "debug":
            raise
        from croupier.cli.sentences import code_of, sentence  # noqa: PLC0415 - it knows every floor's errors: a wrong word need not

        code = code_of(error)
        if code == "usage":
            _complain(_wrong_option(error, words), code, words)
            return 2
        _complain(sentence(error), code, words)
        return 1
    return code if isinstance(code, int) else 0


def _complain(what: str, code: str, words: Sequence[str]) -> None:
    from croupier.cli.show import complain, complain_in_json  # noqa: PLC0415 - as above

    if "--json" in words:
        complain_in_json(what, code)
    else:
        complain(what)


def _wrong_option(error: Any, words: Sequence[str]) -> str:  # noqa: ANN401 - whatever names a parameter
    """Return the words about a parameter, which is an option here."""
    field = error.field or ""
    said = str(error).removeprefix(field).strip()
    said = re.sub(r"`([a-z_]+)`", lambda name: "--" + name[1].replace("_", "-"), said)
    names, command = _command_of(words)
    return f"{_as_typed(field, command)} {said}. See `{' '.join(['croupier', *names])} --help`."


def _as_typed(field: str, command: Any) -> str:  # noqa: ANN401 - typer names no type
    """Return the name of a parameter in the command's help: of an argument its metavar, otherwise the option."""
    for one in command.params:
        if one.param_type_name == "argument" and one.name == field:
            return str(one.metavar or field.upper())
    return "--" + field.replace("_", "-")


def _command_of(words: Sequence[str]) -> tuple[list[str], Any]:
    """Return the command among the words, and its names: a group may be followed by one or two more."""
    command = get_command(app)
    names: list[str] = []
    for word in words:
        found = command.get_command(None, word) if isinstance(command, TyperGroup) else None  # type: ignore[arg-type]
        if found is None:
            break
        names.append(word)
        command = found
    return names, command


def _usage(wrong: typer.TyperException) -> str:
    context = getattr(wrong, "ctx", None)
    path = "croupier" if context is None else context.command_path
    said = wrong.format_message().rstrip(".")
    for typers, ours in _PLAIN:
        said = typers.sub(ours, said)
    return f"{said}{'' if said.endswith('?') else '.'} See `{path} --help`."

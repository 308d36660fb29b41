"""A process that has croupier loaded and forks one child for each command: a real process without its start.

Reads requests as JSON lines from standard input, answers each with the child's exit code. Started by conftest.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import sys
from typing import Any

from croupier.cli.app import main, run
from croupier.cli.index import COMMANDS


def become(request: dict[str, Any]) -> None:
    """In the child: the environment and the three standard streams of the command."""
    os.environ.clear()
    os.environ.update(request["environ"])
    out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    err = os.open(request["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number, descriptor in enumerate((os.open(request["in"], os.O_RDONLY), out, err)):
        os.dup2(descriptor, number)


def warm_up() -> None:
    """Load what is loaded at the first use only; none of these words gets as far as a database."""
    os.environ["CROUPIER_PORT"] = "none"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for name in COMMANDS:
            run([name, "--help"])
        for words in (["casino", "add", "--help"], ["croup"], ["incidents", "--open-for", "1"]):
            run(words)
    del os.environ["CROUPIER_PORT"]
    gc.collect()
    gc.freeze()  # the children share these pages


def serve() -> None:
    """One command after the other until there are no more."""
    warm_up()
    while line := sys.stdin.readline():
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            become(request)
            main(request["words"])
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()

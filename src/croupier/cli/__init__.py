"""Layer 8: the command `croupier`. One file for each group of commands; the work is done in the layers below."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from croupier.cli.index import COMPLETE, at_once


def main(words: Sequence[str] | None = None) -> None:
    """Run the program. Ctrl-C ends it silently, also while it is still loading."""
    try:
        if COMPLETE in os.environ:
            _complete()
        said = at_once(list(sys.argv[1:] if words is None else words))
        if said is not None:
            sys.stdout.write(said)
            return
        from croupier.cli import app  # noqa: PLC0415 - loading takes long enough to be interrupted

        app.main(words)
    except KeyboardInterrupt:
        sys.exit(130)


def _complete() -> None:
    """Answer a shell at once if it asks for the name of a command."""
    from croupier.cli.completion import complete  # noqa: PLC0415 - only a shell asks

    answer = complete(os.environ)
    if answer is not None:
        sys.stdout.write(answer[0])
        sys.exit(answer[1])

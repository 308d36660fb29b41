"""Layer 8: the command `croupier`. One file per group of commands; what they do lives on the floors below."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from croupier.cli.index import at_once


def main(words: Sequence[str] | None = None) -> None:
    """The entry point. Ctrl-C ends it without a word, also while the program is still being loaded."""
    try:
        said = at_once(list(sys.argv[1:] if words is None else words))
        if said is not None:
            sys.stdout.write(said)
            return
        from croupier.cli import app  # noqa: PLC0415 - loading takes long enough to be interrupted

        app.main(words)
    except KeyboardInterrupt:
        sys.exit(130)

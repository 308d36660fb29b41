"""The progress line of a command that takes long: on standard error, for a person who looks at it.

Owns: when there is one, and its form. A pipe, a file and a caller of `--json` get nothing. Never: what is under way.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from croupier.cli.show import printable
from croupier.kit.progress import Tell, tell_nobody

REFRESH_PER_S = 4


@contextmanager
def progress_line(first: str, *, as_json: bool = False) -> Iterator[Tell]:
    """Show a line while the block runs, and take it away at its end. `first` is shown until the work tells more."""
    if as_json or not sys.stderr.isatty():
        yield tell_nobody
        return
    # Only a person who waits needs these.
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"), TimeElapsedColumn())
    line = Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=REFRESH_PER_S)
    task = line.add_task(escape(printable(first)), total=None, count="")

    def tell(what: str, done: int, total: int) -> None:
        count = f"{done:,} of {total:,}" if total else ""
        line.update(task, description=escape(printable(what)), completed=done, total=total or None, count=count)

    with line:
        yield tell

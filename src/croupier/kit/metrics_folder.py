"""The folder in which the workers of one hub keep the values of their metrics.

Owns: where it is, and that those of hubs that died are removed. It lies in memory where the machine has such a place: a
full disk must not end a worker that counts. Never: what stands in it (kit.metrics).
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own with a random name is made there
_NAME = re.compile(r"croupier-metrics-(\d+)-.*")


@contextmanager
def shared_metrics() -> Iterator[Path]:
    """Create a folder for the workers of this process that only this user may read, and remove it at the end."""
    root = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    _remove_old(root)
    folder = Path(tempfile.mkdtemp(prefix=f"croupier-metrics-{os.getpid()}-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_old(root: Path) -> None:
    """Remove the folders of this user's hubs that were killed."""
    for folder in root.glob("croupier-metrics-*"):
        match = _NAME.fullmatch(folder.name)
        with suppress(OSError):
            if match and folder.stat().st_uid == os.getuid() and not _runs(int(match[1])):
                shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

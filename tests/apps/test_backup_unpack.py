"""What a backup's archive may hold: plain files below its own folder, on every Python that the hub runs on."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from croupier.apps.backup import BackupRefused, _unpack


def archive(*entries: tuple[str, bytes | None]) -> io.BytesIO:
    """An archive with these files; None makes a symbolic link to a file elsewhere."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            if content is None:
                entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
            else:
                entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content or b""))
    made.seek(0)
    return made


def test_plain_files_are_written_for_their_owner_alone(tmp_path: Path) -> None:
    _unpack(archive(("manifest.json", b"{}"), ("trail/2025.jsonl", b"line\n")), tmp_path)
    assert (tmp_path / "trail/2025.jsonl").read_bytes() == b"line\n"
    assert (tmp_path / "manifest.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "entry", [("../outside", b"x"), ("/tmp/outside", b"x"), ("trail/../../outside", b"x"), ("link", None), (".", b"x")]
)
def test_anything_else_is_refused(tmp_path: Path, entry: tuple[str, bytes | None]) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(BackupRefused):
        _unpack(archive(entry), folder)
    assert not (tmp_path / "outside").exists()

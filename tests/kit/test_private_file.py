"""Which files with a secret everybody may read."""

from __future__ import annotations

from pathlib import Path

import pytest

from croupier.kit.private_file import everybody_reads


@pytest.mark.parametrize(("mode", "public"), [(0o600, False), (0o440, False), (0o644, True), (0o604, True)])
def test_a_group_may_read_it_and_everybody_may_not(tmp_path: Path, mode: int, public: bool) -> None:
    file = tmp_path / "secret"
    file.write_text("x")
    file.chmod(mode)
    assert everybody_reads(file, file.stat().st_mode) is public


def test_a_secret_that_is_mounted_into_a_container_has_the_runtimes_mode() -> None:
    """Docker mounts there with mode 444, and the files of deploy/compose have it too."""
    assert not everybody_reads("/run/secrets/database_url", 0o100444)
    assert not everybody_reads("/run/secrets/database/url", 0o100444)
    assert everybody_reads("/run/secrets_of_mine", 0o100444)


def test_a_pipe_is_no_file_with_a_mode() -> None:
    """As in `CROUPIER_DATABASE_URL_FILE=<(vault read ...)`."""
    assert not everybody_reads("/dev/fd/63", 0o010644)

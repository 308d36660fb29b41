"""The client's files: small, the same for ever under a version, and published with the hash that a page names."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from croupier.webframe.client_files import CLIENT, NEWEST, client_files, integrity_of, published, versions

FOUR_KB = 4096
SOURCE = (CLIENT / NEWEST / "frame.mjs").read_text("utf-8")


@pytest.mark.parametrize("name", ["frame.js", "frame.mjs"])
def test_the_client_has_at_most_four_kilobytes(name: str) -> None:
    assert len(gzip.compress(client_files()[f"/assets/{name}"].body, 9, mtime=0)) <= FOUR_KB


def test_a_released_version_never_changes() -> None:
    """Pages of casinos name these hashes. A change of a file is a new version, in a directory of its own."""
    kept = json.loads((CLIENT / "integrity.json").read_text("utf-8"))
    assert {version: dict(hashes) for version, hashes in published().items()} == kept


def test_the_newest_version_is_what_the_alias_serves() -> None:
    files = client_files()
    assert versions()[-1] == NEWEST
    for name in ("frame.js", "frame.mjs", "frame.d.ts"):
        assert files[f"/assets/{name}"].body == files[f"/assets/{NEWEST}/{name}"].body
        assert "immutable" in files[f"/assets/{NEWEST}/{name}"].cached
        assert "immutable" not in files[f"/assets/{name}"].cached


def test_the_published_list_names_what_is_served() -> None:
    told = json.loads(client_files()["/assets/frame.json"].body)
    assert told["version"] == NEWEST
    for hashes in told["integrity"].values():
        for path, integrity in hashes.items():
            assert integrity_of(client_files()[path].body) == integrity


def test_the_script_exports_nothing_and_sets_both_names() -> None:
    script = client_files()["/assets/frame.js"].body.decode()
    assert not re.search(r"^\s*(export|import)\b", script, re.MULTILINE)
    assert "TvbetFrame: WebFrame" in script


def test_the_client_depends_on_nothing() -> None:
    assert not re.search(
        r"\bimport\b|\brequire\(|\bfetch\(|XMLHttpRequest|document\.cookie|localStorage|innerHTML", SOURCE
    )


def test_the_client_posts_to_an_exact_origin_alone() -> None:
    calls = re.findall(r"postMessage\((.*)\);", SOURCE)
    assert len(calls) == 2
    assert all(call.endswith("this.#origin") for call in calls)


def test_the_types_name_every_public_part() -> None:
    types = Path(CLIENT / NEWEST / "frame.d.ts").read_text("utf-8")
    for public in (
        "mount()",
        "on<",
        "update(",
        "stop(",
        "refreshBalance()",
        "destroy()",
        "onTokenExpired",
        "onCashier",
    ):
        assert public in types

"""`croupier keys reseal` and `croupier secrets renew`: another sealing key, while the hub's rows stay what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from croupier.kit.key_file import Ring, load_or_make_key, read_ring, write_ring
from croupier.kit.seal import Sealer
from croupier.kit.signed_lines import SignedLines
from tests.cli.conftest import Cli
from tests.conftest import remove_home

URL = "http://127.0.0.1:9"


@pytest.mark.slow
def test_secrets_are_sealed_anew_and_an_interrupted_run_is_begun_again(cli: Cli) -> None:
    cli.ok("casino", "add", "Sealed", "--url", URL, "--currency", "EUR")
    key = cli.home / "key"
    before = load_or_make_key(key)
    done = cli.json("keys", "reseal")
    assert done["resealed"] >= 1
    ring = read_ring(key)
    assert len(ring.keys) == 1
    assert ring.keys[0] != before
    assert len(ring.signed) == 1, "what the old key signed can still be verified"
    assert (key.stat().st_mode & 0o777) == 0o600
    cli.ok("casino", "secret", "rotate", "Sealed")
    # A run that died after it had put the new key into the file.
    write_ring(key, Ring((bytes(32), *ring.keys), ring.signed))
    cli.ok("casino", "secret", "rotate", "Sealed")
    assert cli.json("keys", "reseal")["resealed"] >= 1
    assert read_ring(key).keys == (bytes(32),)
    assert "Back the key file up" in cli.ok("keys", "reseal").err


def test_checkpoints_that_an_older_key_signed_still_count(cli: Cli, tmp_path: Path) -> None:
    lines = tmp_path / "trail"
    old, new = bytes(range(32)), bytes(32)
    told = Sealer(old)
    notary = SignedLines(lines, told.derive("trail"), lambda: told.lineage("trail"))
    assert notary.add({"what": "checkpoint", "at_ms": 1}, 1, after="0" * 64)
    first, key_id = notary.last(), notary.key_id
    assert first is not None
    told = Sealer(new, old)
    assert notary.last() is not None
    assert notary.key_id != key_id
    assert notary.is_ours(first)
    assert notary.add({"what": "checkpoint", "at_ms": 2}, 2, after=first.digest)
    stranger = SignedLines(lines, Sealer(new).derive("trail"))
    last = stranger.last()
    assert last is not None
    assert (stranger.is_ours(last), stranger.is_ours(first)) == (True, False)


def test_renewing_wants_a_clear_word(cli: Cli) -> None:
    assert "--yes" in cli.complaint("secrets", "renew", code=2)


@pytest.mark.slow
def test_a_lost_key_is_survived(nowhere: Cli) -> None:
    try:
        made = nowhere.json("casino", "add", "Aurora", "--url", URL, "--currency", "EUR")
        given = nowhere.json("provider", "add", "Kite", "--url", URL)
        kid = nowhere.json("keys", "rotate")["kid"]
        (nowhere.home / "key").unlink()
        assert "`croupier secrets renew`" in nowhere.complaint("casino", "secret", "rotate", "Aurora")
        renewed = nowhere.json("secrets", "renew", "--yes", "--reason", "the disk is gone")
        assert [c["PartnerClientId"] for c in renewed["casinos"]] == [made["PartnerClientId"]]
        assert [p["CounterpartyId"] for p in renewed["providers"]] == [given["CounterpartyId"]]
        assert renewed["casinos"][0]["Secret"] != made["Secret"]
        rows = {row["kid"]: row for row in nowhere.json("keys", "list")}
        assert (rows[kid]["state"], rows[kid]["revoke_reason"]) == ("revoked", "the disk is gone")
        assert any(row["state"] == "newest" and row["alg"] == "RS256" for row in rows.values())
        nowhere.ok("provider", "secret", "rotate", "Kite")
        again = nowhere.json("secrets", "renew", "--yes")
        assert Path(again["old_key_file"]).exists()
    finally:
        remove_home(nowhere.home)

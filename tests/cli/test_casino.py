"""`croupier casino`: secrets once, ids or names, typed settings, keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

pytestmark = pytest.mark.one_in(2)

URL = "http://127.0.0.1:9"


@pytest.mark.slow
def test_a_new_casino_gets_its_credentials_once(cli: Cli) -> None:
    credentials = cli.json("casino", "add", "Once", "--url", URL, "--currency", "EUR", "--currency", "JPY,KWD")
    assert set(credentials) == {"PartnerClientId", "Secret"}
    secret = credentials["Secret"]
    shown = cli.json("casino", "show", "Once")
    assert shown["PartnerClientId"] == credentials["PartnerClientId"]
    assert (shown["currencies"], shown["alg"], shown["enabled"]) == (["EUR", "JPY", "KWD"], "RS256", True)
    told = cli.ok("casino", "list").out + cli.ok("casino", "show", "Once").out + cli.ok("casino", "list", "--json").out
    assert secret not in told
    assert "Once" in told


def test_people_get_a_table_and_the_warning_beside_it(cli: Cli) -> None:
    said = cli.ok("casino", "add", "Aside", "--url", URL, "--currency", "EUR", "--alg", "EdDSA")
    assert "PartnerClientId" in said.out
    assert "not shown again" in said.err
    assert "not shown again" not in said.out


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--url", URL, "--currency", "EUR"), 1, "already"),
        (("--url", "ftp://casino.example", "--currency", "EUR"), 2, "http://"),
        (("--url", "http://casino.example/#x", "--currency", "EUR"), 2, "fragment"),
        (("--url", "http://casino.example/?x=1", "--currency", "EUR"), 2, "query"),
        (("--url", URL, "--currency", "EURO"), 1, "'EURO' is not known: write its code"),
        (("--url", URL, "--currency", "eur"), 1, "did you mean EUR?"),
        (("--url", "", "--currency", "EUR"), 2, "must not be empty"),
        (("--url", URL, "--currency", "EUR", "--alg", "HS256"), 1, "alg must be one of"),
    ],
)
def test_what_cannot_be_is_refused(cli: Cli, options: tuple[str, ...], code: int, says: str) -> None:
    assert says in cli.complaint("casino", "add", "Aurora", *options, code=code)


def test_a_private_address_is_refused_unless_it_is_allowed(cli: Cli) -> None:
    words = ("casino", "add", "Private", "--url", URL, "--currency", "EUR")
    complaint = cli.complaint(*words, code=2, CROUPIER_ALLOW_PRIVATE_PEERS=None)
    assert "private" in complaint
    assert "CROUPIER_ALLOW_PRIVATE_PEERS=1" in complaint
    complaint = cli.complaint("casino", "set", "Aurora", f"url={URL}", CROUPIER_ALLOW_PRIVATE_PEERS=None)
    assert "private" in complaint


def test_one_sentence_names_all_that_is_wrong(cli: Cli) -> None:
    complaint = cli.complaint("casino", "set", "Aurora", "url=ftp://x", "name=", "currencies=EURO", "batch=0", "odd=1")
    for what in ("url must begin", "name must have", "'EURO' is not known", "batch must be", "odd is not a setting"):
        assert what in complaint
    assert "--url" not in complaint


def test_settings_are_set_typed_and_taken_back(cli: Cli) -> None:
    words = ("tax_bp=500", "batch=1", "late_accept=refuse", "codes.not_enough_funds=777", "min_bet=0.10", "info=no")
    changed = cli.json("casino", "set", "12", *words)
    assert changed["name"] == "Borealis"
    assert (changed["tax_bp"], changed["batch"], changed["late_accept"]) == (500, 1, "refuse")
    assert (changed["codes"], changed["min_bet"], changed["info"]) == ({"not_enough_funds": 777}, "0.10", False)
    back = cli.json("casino", "set", "Borealis", "batch=default", "codes.not_enough_funds=default", "enabled=false")
    assert (back["batch"], back["codes"], back["enabled"], back["tax_bp"]) == (100, {}, False, 500)


@pytest.mark.slow
def test_every_wrong_setting_is_named_and_nothing_is_changed(cli: Cli) -> None:
    complaint = cli.complaint("casino", "set", "Aurora", "batch=0", "hold_s=3", "tax_bp=700")
    assert "batch must be" in complaint
    assert "hold_s is a setting of a provider" in complaint
    assert cli.json("casino", "show", "Aurora")["tax_bp"] is None
    assert "no KEY=VALUE" in cli.complaint("casino", "set", "Aurora", "batch")
    assert "twice" in cli.complaint("casino", "set", "Aurora", "batch=1", "batch=2")


def test_disabling_is_shown_and_undone(cli: Cli) -> None:
    made = cli.json("casino", "add", "Switch", "--url", URL, "--currency", "EUR")
    assert cli.json("casino", "disable", str(made["PartnerClientId"]))["enabled"] is False
    assert cli.json("casino", "set", "Switch", "enabled=true")["enabled"] is True


def test_an_unknown_casino_is_told_with_the_way_to_the_known_ones(cli: Cli) -> None:
    for words in (("show", "Nobody"), ("disable", "999"), ("set", "Nobody", "batch=1"), ("keys", "rotate", "Nobody")):
        assert "`croupier casino list`" in cli.complaint("casino", *words)


def test_keys_rotate_by_algorithm_or_by_casino(cli: Cli) -> None:
    cli.ok("casino", "add", "Ed", "--url", URL, "--currency", "EUR", "--alg", "EdDSA")
    first = cli.json("casino", "keys", "rotate", "--alg", "EdDSA")
    assert (first["alg"], first["forced"]) == ("EdDSA", 0)
    second = cli.json("casino", "keys", "rotate", "Ed")
    assert second["kid"] != first["kid"]
    assert cli.json("casino", "show", "Ed")["kid"] is not None, "its own key signs until it has fetched the new set"
    assert cli.json("casino", "keys", "rotate", "Ed", "--force")["forced"] == 1
    assert cli.json("casino", "show", "Ed")["kid"] is None, "the newest key signs"
    assert "--alg must be one of" in cli.complaint("casino", "keys", "rotate", "--alg", "none", code=2)
    assert "not both" in cli.complaint("casino", "keys", "rotate", "Ed", "--alg", "EdDSA", code=2)


def test_which_casinos_still_hold_an_old_key_is_shown(cli: Cli) -> None:
    cli.ok("casino", "add", "Slow", "--url", URL, "--currency", "EUR", "--alg", "ES256")
    cli.ok("casino", "keys", "rotate", "Slow")
    old = cli.json("casino", "show", "Slow")["kid"]
    made = cli.json("keys", "rotate", "Slow")
    assert made["waiting"] == {old: ["Slow"]}
    rows = {row["kid"]: row for row in cli.json("keys", "list")}
    assert (rows[old]["state"], rows[old]["casinos"]) == ("old", ["Slow"])
    assert (rows[made["kid"]]["state"], rows[made["kid"]]["casinos"]) == ("newest", [])
    assert cli.json("casino", "show", "Slow")["signing_key"] == {old: "old"}
    assert "Slow" in cli.ok("keys", "list").err
    checks = {check["name"]: check for check in cli("doctor", "--json").json()["checks"]}
    assert checks["signing keys"]["result"] == "look"
    assert "Slow" in checks["signing keys"]["says"]
    cli.ok("keys", "rotate", "Slow", "--force")
    assert "signs still" in cli.complaint("keys", "retire", cli.json("keys", "list")[0]["kid"])
    assert cli.json("keys", "retire", old) == {"retired": old}


def test_a_key_that_leaked_is_revoked_and_kept_on_record(cli: Cli) -> None:
    cli.ok("casino", "add", "Leak", "--url", URL, "--currency", "EUR", "--alg", "EdDSA")
    leaked = cli.json("keys", "rotate", "Leak", "--force")["kid"]
    done = cli.json("keys", "revoke", leaked, "--reason", "it was in a mail", "--author", "ann")
    assert (done["revoked"], done["alg"], done["already"]) == (leaked, "EdDSA", False)
    assert cli.json("keys", "revoke", leaked)["already"] is True
    rows = {row["kid"]: row for row in cli.json("casino", "keys", "list")}
    row = rows[leaked]
    assert (row["state"], row["revoked_by"], row["revoke_reason"]) == ("revoked", "ann", "it was in a mail")
    assert "Leak" in rows[done["kid"]]["casinos"]
    assert "it was in a mail" in cli.ok("keys", "list").out
    assert "`croupier keys list`" in cli.complaint("keys", "revoke", "nothing")


@pytest.mark.slow
def test_a_casinos_secret_is_rotated_and_shown_once(cli: Cli) -> None:
    made = cli.json("casino", "add", "Turn", "--url", URL, "--currency", "EUR")
    second = cli.json("casino", "secret", "rotate", "Turn")
    assert second["PartnerClientId"] == made["PartnerClientId"]
    third = cli.json("casino", "secret", "rotate", "Turn", "--now")
    assert len({made["Secret"], second["Secret"], third["Secret"]}) == 3
    assert third["Secret"] not in cli.ok("casino", "show", "Turn").out
    assert "not shown again" in cli.ok("casino", "secret", "rotate", "Turn", "--keep-old", "60").err
    assert "not both" in cli.complaint("casino", "secret", "rotate", "Turn", "--now", "--keep-old", "60", code=2)


@pytest.mark.slow
def test_disabled_and_closed_are_two_things(cli: Cli) -> None:
    cli.ok("casino", "add", "Shut", "--url", URL, "--currency", "EUR")
    closed = cli.json("casino", "close", "Shut")
    assert (closed["enabled"], closed["closed"]) == (True, True)
    assert cli.json("casino", "disable", "Shut")["closed"] is True
    opened = cli.json("casino", "open", "Shut")
    assert (opened["enabled"], opened["closed"]) == (False, False)
    assert cli.json("casino", "enable", "Shut")["enabled"] is True
    assert "closed" in cli.ok("casino", "list").out


@pytest.mark.slow
def test_a_casino_with_money_in_flight_is_closed_with_force_only(cli: Cli) -> None:
    story = cli.story()
    cli.keep(story.on())
    complaint = cli.complaint("casino", "close", "Aurora")
    assert "bets" in complaint
    assert "--force" in complaint
    assert cli.json("casino", "close", "Aurora", "--force")["closed"] is True
    assert cli.json("casino", "open", "Aurora")["closed"] is False


def test_plain_http_is_refused_unless_it_is_allowed(cli: Cli) -> None:
    for code, words in (
        (2, ("casino", "add", "Open", "--url", "http://wallet.example.com", "--currency", "EUR")),
        (1, ("casino", "set", "Aurora", "url=HTTP://wallet.example.com")),
        (2, ("provider", "add", "Open", "--url", "http://8.8.8.8")),
        (1, ("provider", "set", "Fable", "url=http://games.example.com")),
    ):
        complaint = cli.complaint(*words, code=code, CROUPIER_ALLOW_PRIVATE_PEERS=None)
        assert "must begin with https://" in complaint
        assert "CROUPIER_ALLOW_PRIVATE_PEERS=1" in complaint
    cli.ok(
        "casino", "add", "Closed", "--url", "https://c.example", "--currency", "EUR", CROUPIER_ALLOW_PRIVATE_PEERS=None
    )
    said = cli("doctor", "--json", CROUPIER_ALLOW_PRIVATE_PEERS=None).json()["checks"]
    looks = {check["name"] for check in said if check["result"] == "look" and "plain http" in check["says"]}
    assert "casino Aurora" in looks
    assert "casino Closed" not in looks
    assert "plain http" not in cli("doctor", "--json").out, "where it is allowed it is no finding"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "more", "key"), [("casino", ("--currency", "EUR"), "PartnerClientId"), ("provider", (), "CounterpartyId")]
)
def test_a_secret_goes_into_a_new_file_and_never_over_another(
    cli: Cli, tmp_path: Path, kind: str, more: tuple[str, ...], key: str
) -> None:
    kept, other = tmp_path / "kept.json", tmp_path / "other.json"
    words = (kind, "add", f"Filed {kind}", "--url", URL, *more, "--secret-file")
    said = cli.ok(*words, str(kept))
    first = json.loads(kept.read_text("utf-8"))
    assert set(first) == {key, "Secret"}
    assert first["Secret"] not in said.out + said.err
    assert kept.stat().st_mode & 0o077 == 0
    assert f"{kept} is there already" in cli.complaint(*words, str(kept))
    assert f"`croupier {kind} secret rotate 'Filed {kind}' --json`" in cli.complaint(*words, str(other))
    assert json.loads(kept.read_text("utf-8")) == first
    assert not other.exists(), "a command that failed leaves no empty file"
    shown = cli.json(kind, "secret", "rotate", f"Filed {kind}", "--secret-file", str(other))
    assert shown == {key: first[key], "SecretFile": str(other)}
    assert json.loads(other.read_text("utf-8"))["Secret"] != first["Secret"]


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("kind", "more"), [("casino", ("--currency", "EUR")), ("provider", ())])
def test_who_disables_or_closes_is_told_what_holds_now(cli: Cli, kind: str, more: tuple[str, ...]) -> None:
    cli.ok(kind, "add", f"Ended {kind}", "--url", URL, *more)
    said = cli.ok(kind, "disable", f"Ended {kind}").out
    assert "starts nothing new now" in said
    assert f"`croupier {kind} enable`" in said
    said = cli.ok(kind, "close", f"Ended {kind}").out
    assert "refused now" in said
    assert f"`croupier {kind} open`" in said

"""store.profiles: every quirk reads from a setting, is stored only if it differs, and comes back as it was."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.core.counterparty import Casino, LateAccept, Provider, UserId
from croupier.core.refusals import CasinoNo
from croupier.store.parties.profiles import (
    CASINOS,
    PROVIDERS,
    BadProfile,
    Side,
    profile_from_settings,
    read_profile,
    write_profile,
)

IDENTITY = {"casino_id", "provider_id", "counterparty_id", "name", "protocol", "url", "currencies", "enabled", "kid",
            "closed", "tokens_from_s"}  # fmt: skip
"""What a row says beside its quirks: who it is, and what a command of its own changes."""
SIDES = [CASINOS, PROVIDERS]


@pytest.mark.parametrize("side", SIDES, ids=lambda s: s.name)
def test_every_quirk_of_the_record_has_a_kind(side: Side) -> None:
    assert set(side.quirks) == {f.name for f in fields(side.record)} - IDENTITY


@pytest.mark.parametrize("side", SIDES, ids=lambda s: s.name)
def test_every_default_is_allowed_and_is_not_stored(side: Side) -> None:
    defaults = {name: side.default(name) for name in side.quirks}
    assert json.loads(write_profile(side, "{}", defaults)) == {}


CASINO_SETTINGS = [
    ("late_accept", "refuse", LateAccept.REFUSE),
    ("batch", "1", 1),
    ("alg", "ES256", "ES256"),
    ("tax_bp", "125", 125),
    ("tax_bp", "none", None),
    ("info", "off", False),
    ("close", "no", False),
    ("skip_zero", "TRUE", True),
    ("reuses_transaction_ids", "on", True),
    ("origins", "https://Rialto.example, http://localhost:8080", ("https://rialto.example", "http://localhost:8080")),
    ("requests_per_s", "50", 50),
    ("requests_per_s", "none", None),
    ("client_cert", "/etc/croupier/owl.pem", "/etc/croupier/owl.pem"),
    ("client_key", "none", None),
    ("ca", "/etc/croupier/ca.pem", "/etc/croupier/ca.pem"),
    ("min_bet", "0.10", "0.10"),
    ("max_bet", "none", None),
    ("enabled", "false", False),
    ("connect_s", "0.5", 0.5),
    ("total_s", "7", 7.0),
    ("in_flight", "300", 300),
    ("exact_balance", "on", True),
    ("codes.not_enough_funds", "12", 12),
    ("codes.other", "default", None),
    ("batch", "default", 100),
]
PROVIDER_SETTINGS = [
    ("hold_s", "2", 2.0),
    ("claim_s", "0.5", 0.5),
    ("pay_out_waits", "yes", True),
    ("user_id", "player", UserId.PLAYER),
    ("user_id", "default", UserId.CASINO_PLAYER),
    ("fresh_s", "60", 60.0),
    ("games_enabled", "0", False),
    ("game_types", "3, 23", (3, 23)),
    ("game_types", "none", ()),
    ("min_bet", "1", "1"),
    ("enabled", "on", True),
    ("hold_s", "default", 6.0),
]


@pytest.mark.parametrize(("key", "text", "value"), CASINO_SETTINGS)
def test_a_casinos_setting_reads(key: str, text: str, value: object) -> None:
    assert profile_from_settings({key: text}, CASINOS) == {key: value}


@pytest.mark.parametrize(("key", "text", "value"), PROVIDER_SETTINGS)
def test_a_providers_setting_reads(key: str, text: str, value: object) -> None:
    assert profile_from_settings({key: text}, PROVIDERS) == {key: value}


@pytest.mark.parametrize(
    ("side", "key", "text", "says"),
    [
        (PROVIDERS, "hold_s", "0", "above 0"),
        (PROVIDERS, "hold_s", "-1", "above 0"),
        (PROVIDERS, "hold_s", "nan", "above 0"),
        (PROVIDERS, "hold_s", "1e1", "above 0"),
        (PROVIDERS, "hold_s", "30", "at most 29"),
        (PROVIDERS, "game_types", "3,x", "whole numbers"),
        (PROVIDERS, "game_types", "3,3", "different"),
        (PROVIDERS, "batch", "5", "setting of a casino"),
        (PROVIDERS, "codes.other", "5", "setting of a casino"),
        (CASINOS, "hold_s", "2", "setting of a provider"),
        (CASINOS, "late_accept", "maybe", "return, refuse"),
        (CASINOS, "alg", "HS256", "RS256, ES256, EdDSA"),
        (CASINOS, "alg", "none", "RS256, ES256, EdDSA"),
        (CASINOS, "batch", "0", "from 1 to 100"),
        (CASINOS, "batch", "101", "from 1 to 100"),
        (CASINOS, "batch", "\uff11", "from 1 to 100"),
        (CASINOS, "tax_bp", "10001", "from 0 to 10000"),
        (CASINOS, "info", "maybe", "true or false"),
        (CASINOS, "enabled", "default", "true or false"),
        (CASINOS, "min_bet", "1,5", "1 to 15 digits"),
        (CASINOS, "min_bet", "-1", "1 to 15 digits"),
        (CASINOS, "min_bet", "0.123456789", "8 decimals"),
        (CASINOS, "origins", "rialto.example", "origins such as"),
        (CASINOS, "origins", "https://rialto.example/path", "origins such as"),
        (CASINOS, "codes.not_enough", "5", "codes.not_enough_funds"),
        (CASINOS, "codes.other", "x", "whole number"),
        (CASINOS, "codes", "5", "codes.<reason>"),
        (CASINOS, "colour", "red", "late_accept"),
        (CASINOS, "kid", "k1", "is not a setting"),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_what_is_allowed(side: Side, key: str, text: str, says: str) -> None:
    with pytest.raises(BadProfile) as caught:
        profile_from_settings({key: text}, side)
    (problem,) = caught.value.problems
    assert problem.startswith(key)
    assert says in problem


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(BadProfile) as caught:
        profile_from_settings({"batch": "0", "info": "true", "colour": "red"}, CASINOS)
    assert [p.split()[0] for p in caught.value.problems] == ["batch", "colour"]


def test_only_what_differs_is_stored_and_a_default_takes_it_back() -> None:
    stored = write_profile(CASINOS, "{}", {"batch": 1, "late_accept": LateAccept.REFUSE, "info": True})
    assert json.loads(stored) == {"batch": 1, "late_accept": "refuse"}
    assert read_profile(CASINOS, stored) == {"batch": 1, "late_accept": LateAccept.REFUSE}
    stored = write_profile(CASINOS, stored, profile_from_settings({"batch": "default"}, CASINOS))
    assert json.loads(stored) == {"late_accept": "refuse"}


def test_one_code_changes_one_code_and_codes_change_all() -> None:
    stored = write_profile(CASINOS, "{}", {"codes": {CasinoNo.OTHER: 500, CasinoNo.USER_BLOCKED: 7}})
    stored = write_profile(CASINOS, stored, {"codes.not_enough_funds": 12, "codes.other": None})
    assert read_profile(CASINOS, stored)["codes"] == {CasinoNo.USER_BLOCKED: 7, CasinoNo.NOT_ENOUGH_FUNDS: 12}
    stored = write_profile(CASINOS, stored, {"codes": {CasinoNo.OTHER: 500}})
    assert read_profile(CASINOS, stored)["codes"] == {CasinoNo.OTHER: 500}
    assert json.loads(write_profile(CASINOS, stored, {"codes.other": None})) == {}


def test_a_number_means_one_thing_at_one_casino() -> None:
    with pytest.raises(BadProfile, match="codes must be a different"):
        write_profile(CASINOS, '{"codes":{"other":12}}', {"codes.not_enough_funds": 12})


def test_the_smallest_bet_is_not_above_the_largest_even_if_they_come_one_after_the_other() -> None:
    stored = write_profile(PROVIDERS, "{}", {"max_bet": "9"})
    assert read_profile(PROVIDERS, write_profile(PROVIDERS, stored, {"min_bet": "9.00"}))["min_bet"] == "9.00"
    with pytest.raises(BadProfile, match="above"):
        write_profile(PROVIDERS, stored, {"min_bet": "10"})


def test_what_a_newer_version_wrote_is_left_alone() -> None:
    stored = write_profile(CASINOS, '{"from_tomorrow":[1]}', {"batch": 2})
    assert json.loads(stored) == {"from_tomorrow": [1], "batch": 2}
    assert read_profile(CASINOS, stored) == {"batch": 2}


@pytest.mark.parametrize("stored", ['{"batch":0}', '{"batch":"7"}', '{"info":1}', '{"late_accept":"never"}'])
def test_a_stored_value_that_is_not_allowed_is_named(stored: str) -> None:
    with pytest.raises(BadProfile, match=f"^{next(iter(json.loads(stored)))} in the profile must be"):
        read_profile(CASINOS, stored)


amounts = st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,8})?", fullmatch=True)
durations = st.floats(0.001, 14.0)
casino_quirks = st.fixed_dictionaries(
    {},
    optional={
        "alg": st.sampled_from(["RS256", "ES256", "EdDSA"]),
        "late_accept": st.sampled_from(LateAccept),
        "tax_bp": st.none() | st.integers(0, 10_000),
        "batch": st.integers(1, 100),
        "info": st.booleans(),
        "codes": st.dictionaries(st.sampled_from(CasinoNo), st.integers(0, 10**9)).filter(
            lambda d: len(set(d.values())) == len(d)
        ),
        "connect_s": durations,
        "total_s": durations,
        "min_bet": st.none() | amounts,
        "origins": st.lists(st.from_regex(r"https://[a-z]{1,9}\.example", fullmatch=True), unique=True).map(tuple),
    },
)


@given(casino_quirks)
def test_what_is_stored_comes_back_with_the_defaults_around_it(quirks: dict[str, Any]) -> None:
    stored = write_profile(CASINOS, "{}", quirks)
    casino = Casino(1, "n", "p", "u", ("EUR",), **read_profile(CASINOS, stored))
    assert {name: getattr(casino, name) for name in quirks} == quirks
    assert write_profile(CASINOS, stored, {}) == stored


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(SIDES))
def test_no_text_brings_anything_but_a_typed_value_or_a_named_problem(key: str, text: str, side: Side) -> None:
    try:
        changes = profile_from_settings({key: text}, side)
    except BadProfile as bad:
        assert len(bad.problems) == 1
    else:
        changes.pop("enabled", None)
        write_profile(side, "{}", changes)


@given(st.sampled_from(sorted(CASINOS.quirks)), st.text(max_size=12) | st.integers().map(str))
def test_a_setting_that_reads_can_be_stored(key: str, text: str) -> None:
    try:
        changes = profile_from_settings({key: text}, CASINOS)
    except BadProfile:
        return
    read_profile(CASINOS, write_profile(CASINOS, "{}", changes))


def test_the_records_can_be_made_from_an_empty_profile() -> None:
    assert read_profile(PROVIDERS, "{}") == {}
    assert Provider(1, "c", "n", "p", "u", **read_profile(PROVIDERS, "{}")).hold_s == 6.0


@pytest.mark.parametrize("side", SIDES, ids=lambda s: s.name)
def test_a_key_needs_its_certificate(side: Side) -> None:
    paths = {"client_cert": "/etc/hub.pem", "client_key": "/etc/hub.key"}
    stored = write_profile(side, "{}", paths)
    assert read_profile(side, stored) == paths
    for before, changes in (("{}", {"client_key": "/etc/hub.key"}), (stored, {"client_cert": None})):
        with pytest.raises(BadProfile, match="client_key needs client_cert"):
            write_profile(side, before, changes)


@pytest.mark.parametrize("text", ["hub.pem", "./hub.pem", "~/hub.pem", "/", "/a\nb", "/a\x00b", "/" + "a" * 1024])
def test_a_path_is_absolute_and_can_be_stored(text: str) -> None:
    with pytest.raises(BadProfile, match="absolute path"):
        profile_from_settings({"ca": text}, CASINOS)

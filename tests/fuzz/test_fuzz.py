"""The fast share of `make fuzz`, and that the run finds what it is for. Whatever it found before has a test of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from croupier.core import money
from croupier.kit import jwt, strictjson
from croupier.kit.jwt import BadToken
from croupier.providers.betcore_v1.codec import CHARS_PER_STEP, ELEMENT_COST_CHARS, GamesList
from tests.fuzz import apart, run, samples, targets
from tests.fuzz.apart import NotReadable
from tests.fuzz.breed import Breeder
from tests.fuzz.run import GROWTH_BLOCKS, LITTER
from tests.fuzz.targets import TARGETS, Target

SHARE = 1_000
"""Inputs of each target on every push; `make fuzz` takes a million of all together."""

every_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@pytest.mark.one_in(6)
@every_target
def test_a_share_of_the_inputs_on_every_push(target: Target) -> None:
    """Neither all taken nor all refused, or one side of the reader would never be seen."""
    report = run.run(SHARE, seed="push", targets=[target])
    assert report.findings == []
    assert report.grown_blocks <= GROWTH_BLOCKS
    (tally,) = report.tallies
    assert tally.inputs == SHARE
    assert tally.taken > 0
    assert tally.refused > 0 or target.name.endswith("_written")


@every_target
def test_one_seed_breeds_the_same_inputs(target: Target) -> None:
    def litter() -> list[Any]:
        breeder = Breeder("same")
        return [target.breed(breeder) for _ in range(40)]

    assert litter() == litter()


# --- the run finds what it is for ----------------------------------------------------------------------------------


def target(name: str) -> Target:
    (found,) = [one for one in TARGETS if one.name == name]
    return found


def found(name: str, inputs: int = 8 * LITTER) -> str:
    """What the run says of one target."""
    report = run.run(inputs, seed="planted", targets=[target(name)])
    assert not report.holds
    return report.findings[0].what


def test_a_reader_that_takes_too_much_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two equal keys the last one, as most libraries read it."""
    monkeypatch.setattr(
        strictjson, "_DECODER", json.JSONDecoder(parse_int=strictjson._number, parse_float=strictjson._number)
    )
    assert "AssertionError" in found("pay_in", 40 * LITTER)


def test_an_amount_through_a_float_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        money, "parse_amount", lambda text, currency: round(float(text) * 10 ** money.exponent(currency))
    )
    assert found("amount")


def test_a_signature_that_is_not_looked_at_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwt, "_signature_holds", lambda *_: True)
    assert "never issued" in found("bearer", 40 * LITTER)
    assert "never sent" in found("auth_verify", 40 * LITTER)


def test_an_exception_outside_of_the_closed_list_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was: text that is not ASCII under a good header."""
    monkeypatch.setattr(jwt, "_parts", lambda token: [*token.split("."), "", "", ""][:3])
    assert "Error" in found("bearer", 40 * LITTER)


def test_a_yes_that_the_bytes_do_not_say_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """`"200"` for 200."""

    def integer(obj: Any, field: str, low: int, high: int) -> int:
        try:
            return int(obj[field])
        except (KeyError, ValueError, TypeError):
            raise strictjson.BadField(field, "is no number") from None

    monkeypatch.setattr(strictjson, "integer", integer)
    assert "a yes" in found("payment_accept", 40 * LITTER)


def test_a_reader_that_is_slow_is_found() -> None:
    """The square of its input: a list read whole, and again for every element of it."""

    def slow(_: object) -> bool:
        return sum(n * n for n in range(1_500_000)) < 0

    slowly = Target("slow", lambda _: b"", slow)
    what, _, took_ms = run.judged(slowly, b"")
    assert "took" in what
    assert took_ms > run.SLOW_MS


def test_what_stays_in_memory_is_found() -> None:
    kept: list[object] = []

    def keeping(bred: bytes) -> bool:
        kept.append([bred + b"x"])
        return True

    report = run.run(20 * LITTER, targets=[Target("keeping", lambda breeder: breeder.noise(), keeping)])
    assert report.grown_blocks > GROWTH_BLOCKS
    assert not report.holds


# --- the second reader ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}', b"[" * 33 + b"]" * 33, b"1" * 65, b'"\\ud800"', b'"\\u0000"', b"NaN", b"01", b"1.", b"\xef\xbb\xbf1", b"",
        b'"\x01"', b"{,}", b"[1,]", b'{"a":1', b"tru", b'"\\x"', b"1 1", b"\xff", b" " * 65537,
    ],
)  # fmt: skip
def test_the_second_reader_refuses_on_its_own(body: bytes) -> None:
    with pytest.raises(NotReadable):
        apart.parse(body)


def test_the_second_reader_reads() -> None:
    assert apart.parse(b' {"a":[1.50,-0,true,null,"\\ud83d\\ude00\\/"],"b":{}} ') == {
        "a": ["1.50", "-0", True, None, "\U0001f600/"],
        "b": {},
    }
    assert apart.minor_units("12.50", 2) == 1250
    assert not apart.same(apart.Number("1"), "1")


def test_every_kept_token_is_good_for_what_it_is_for() -> None:
    assert all(targets.check_bearer(token.encode()) for token in samples.BEARERS)
    assert all(targets.check_verify(f'"{token}"'.encode()) for token in samples.SENT)
    with pytest.raises(BadToken):
        jwt.verify(samples.STALE[0], samples.PUBLIC, now_s=samples.NOW_S)


def test_a_turn_of_a_list_is_short_however_short_its_elements() -> None:
    games = GamesList(b"[" + b"0," * 10_000 + b"0]")
    turns = 1
    while games.read_on():
        turns += 1
    assert turns >= 10_000 * ELEMENT_COST_CHARS // CHARS_PER_STEP

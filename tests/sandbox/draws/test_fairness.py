"""The stream of numbers behind a draw: known answers, no favoured number, and nothing that two draws share."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from croupier.sandbox.draws.fairness import Stream, below, block, commitment

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "draws" / "draws.json").read_text())
SEED = bytes(range(32))


@pytest.mark.parametrize("vector", VECTORS["words"], ids=lambda v: v["seed"][:8])
def test_the_words_are_those_of_the_vectors(vector: dict[str, object]) -> None:
    seed = bytes.fromhex(str(vector["seed"]))
    label = f"{vector['gameType']}:{vector['gameEdition']}"
    stream = (block(seed, label, 0) + block(seed, label, 1)).hex()
    assert [stream[at : at + 16] for at in range(0, 96, 16)] == vector["first"]


def test_the_commitment_is_the_plain_sha256_of_the_seed() -> None:
    assert commitment(SEED) == hashlib.sha256(SEED).hexdigest()


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 7, 50, 52, 80, 200, 255, 256])
def test_every_number_comes_of_equally_many_words(limit: int) -> None:
    """Of all 256 bytes, whatever is left after the rejections falls on each number equally often: there is no modulo bias."""
    came = Counter()
    for word in range(256):
        words = iter([word])
        try:
            came[below(limit, words, 256)] += 1
        except StopIteration:
            assert word >= 256 - 256 % limit
    assert set(came) == set(range(limit))
    assert set(came.values()) == {256 // limit}


def test_a_word_of_the_incomplete_interval_is_passed_over() -> None:
    assert below(100, iter([200, 255, 199]), 256) == 99


def test_a_sample_has_every_order_equally_often() -> None:
    """Over 6000 editions each of the 12 ordered pairs of 4 numbers comes about 500 times."""
    came = Counter(Stream(SEED, 1, edition).sample(4, 2) for edition in range(6000))
    assert len(came) == 12
    assert all(400 < count < 600 for count in came.values()), came


def test_a_whole_sample_is_a_permutation() -> None:
    assert sorted(Stream(SEED, 1, 1).sample(80, 80)) == list(range(80))


def test_seed_game_type_and_edition_each_change_the_numbers() -> None:
    draws = [(SEED, 23, 1), (SEED, 23, 11), (SEED, 2, 31), (SEED, 231, 1), (bytes(32), 23, 1)]
    assert len({Stream(*draw).sample(80, 20) for draw in draws}) == len(draws)


@pytest.mark.parametrize("limit", [0, -1, 2**64 + 1])
def test_a_limit_that_no_word_can_serve_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        Stream(SEED, 1, 1).below(limit)


def test_a_sample_beyond_its_population_is_refused() -> None:
    with pytest.raises(ValueError, match="sample"):
        Stream(SEED, 1, 1).sample(3, 4)

"""A published draw is recomputed from its proof; whatever was changed in it is noticed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from croupier.kit.strictjson import BadField, loads
from croupier.sandbox.draws.verify import problems, read_proof

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "draws" / "draws.json").read_text()
)["draws"]


def judged(draw: dict[str, Any]) -> list[str]:
    return problems(read_proof(loads(json.dumps(draw).encode())))


@pytest.mark.parametrize("draw", VECTORS, ids=lambda d: f"{d['gameType']}/{d['gameEdition']}/{d['proof']['seed'][:4]}")
def test_the_vectors_hold(draw: dict[str, Any]) -> None:
    assert judged(draw) == []


@pytest.mark.parametrize("draw", VECTORS[:4], ids=lambda d: str(d["gameType"]))
def test_the_answer_of_games_info_holds_as_well(draw: dict[str, Any]) -> None:
    short = {"t": draw["gameType"], "ge": draw["gameEdition"], "res": draw["results"], "proof": draw["proof"]}
    assert judged({"ErrorCode": 200, "Message": "Success", "Value": short}) == []


CHANGES: list[tuple[str, Any, str]] = [
    ("gameEdition", 2, "results"),
    ("gameType", 24, "results"),
    ("gameType", 7, "game type 7"),
    ("results", [1, 2, 3], "results"),
    ("seed", "00" * 32, "seed"),
    ("seed", "0" * 63, "64 lower-case hex"),
    ("commitment", "00" * 32, "commitment"),
    ("commitment", "FF" * 32, "64 lower-case hex"),
]


@pytest.mark.parametrize(("field", "value", "said"), CHANGES)
def test_any_change_is_noticed(field: str, value: Any, said: str) -> None:
    draw = copy.deepcopy(VECTORS[3])
    (draw if field in draw else draw["proof"])[field] = value
    assert said in " ".join(judged(draw))


def test_every_single_result_and_their_order_count() -> None:
    for draw in VECTORS[:12]:
        for place in range(len(draw["results"])):
            bent = copy.deepcopy(draw)
            bent["results"][place] = "odd"
            assert judged(bent)
        if len(draw["results"]) > 1:
            assert judged({**draw, "results": draw["results"][::-1]})


@pytest.mark.parametrize("results", [None, []])
def test_a_cancelled_draw_is_held_to_its_commitment_alone(results: Any) -> None:
    assert judged({**VECTORS[0], "results": results}) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"proof": {"algorithm": "hmac-sha256-v1", "commitment": "00" * 32}}, "not published yet"),
        ({"proof": {"algorithm": "md5", "commitment": "00" * 32, "seed": "00" * 32}}, "algorithm"),
        ({"proof": None}, "proof"),
        ({"gameEdition": "1"}, "gameEdition"),
        ({"gameType": -1}, "gameType"),
        ({"results": [1.5]}, "whole numbers and text"),
        ({"results": "1,2"}, "array"),
    ],
)
def test_what_cannot_be_verified_is_said(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadField, match=said):
        judged({**VECTORS[0], **change})

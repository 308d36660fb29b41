"""`croupier jackpot`: pots are opened, shown, changed and frozen, and anybody verifies a round."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from croupier.kit.key_file import load_or_make_key
from croupier.kit.seal import Sealer
from croupier.store.embedded.server import attach
from tests.cli.conftest import Cli, Zygote, _furnish
from tests.conftest import make_home, remove_home
from tests.flows.pots import PotTable
from tests.views.world import World

ADD = ("jackpot", "add", "Harvest", "--currency", "EUR", "--share-bp", "100", "--seed", "10.00")
FAR = "5000000.00"
"""A ceiling that no share of these tests meets: a round with a near one may be won by any of them."""
CLEAN = (
    "set session_replication_role = replica; delete from jackpot_contributions; delete from jackpot_rounds;"
    " delete from jackpots"
)
_bets = count(1)


@pytest.fixture(scope="module")
def home(zygote: Zygote) -> Iterator[Cli]:
    """A home of its own, because pots take a share of every bet."""
    place = make_home()
    try:
        with attach(place) as attached:
            made = Cli(place, zygote, attached)
            made.world(lambda world: _furnish(world, Sealer(load_or_make_key(place / "key"))))
            yield made
    finally:
        remove_home(place)


@pytest.fixture
def cli(home: Cli) -> Cli:
    """That home without pots."""

    async def clean(world: World) -> None:
        async with world.lawless() as connection:
            await connection.execute(CLEAN)

    home.world(clean)
    return home


def play(cli: Cli, *stakes: int) -> None:
    """Settle bets, bind them and feed the pots, with the key of this home."""

    async def work(world: World) -> None:
        world._next = 10_000 * next(_bets)
        table = PotTable(world)
        table.hub.store.jackpots._sealer = Sealer(load_or_make_key(cli.home / "key"))
        await table.settled(*stakes)
        await table.gather()

    cli.world(work)


@pytest.mark.slow
def test_a_pot_is_opened_listed_and_shown(cli: Cli) -> None:
    made = cli.json(*ADD, "--ceiling", "50.00")
    assert (made["amount"], made["ceiling"], made["state"], made["round"]) == ("10.00", "50.00", "open", 1)
    assert (made["casinos"], made["games"]) == ("all", "all")
    assert len(made["commitment"]) == 64
    assert cli.json("jackpot", "list") == [made]
    for which in ("Harvest", made["JackpotId"], made["JackpotId"].removeprefix("pot-")):
        shown = cli.json("jackpot", "show", which)
        assert shown["rounds"][0]["commitment"] == made["commitment"]
        assert shown["rounds"][0]["secret"] is None, "it is published when the round has ended"
    assert "Harvest" in cli.ok("jackpot", "list").out
    assert "Rounds" in cli.ok("jackpot", "show", "Harvest").out


@pytest.mark.slow
def test_a_pot_may_be_of_some_casinos_and_games(cli: Cli) -> None:
    made = cli.json(*ADD, "--ceiling", "50.00", "--only", "casino=Aurora", "--only", "game=g-1")
    assert (made["casinos"], made["games"]) == (["Aurora"], ["g-1"])


def test_it_says_that_nobody_feeds_it(cli: Cli) -> None:
    assert "the pot takes no shares" in cli.ok(*ADD, "--ceiling", "50.00").err


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--ceiling", "10.00"), 1, "above the seed"),
        (("--ceiling", "50.001"), 2, "more decimals"),
        (("--ceiling", "50.00", "--share-bp", "0"), 1, "1 to 10000 basis points"),
        (("--ceiling", "50.00", "--currency", "XXX"), 1, "is not known"),
        (
            ("--ceiling", "50.00", "--currency", "JPY", "--seed", "10", "--only", "casino=Aurora"),
            1,
            "does not play in JPY",
        ),
        (("--ceiling", "50.00", "--only", "casino=Nobody"), 1, "no casino"),
        (("--ceiling", "50.00", "--only", "game=nothing"), 1, "no game"),
        (("--ceiling", "50.00", "--only", "Aurora"), 2, "--only 'Aurora' is neither casino=ID nor game=ID"),
    ],
)
def test_a_pot_that_cannot_be_played_is_refused(cli: Cli, words: tuple[str, ...], code: int, says: str) -> None:
    assert says in cli.complaint(*ADD, *words, code=code)
    assert cli.json("jackpot", "list") == []


@pytest.mark.slow
def test_a_name_is_given_once(cli: Cli) -> None:
    cli.ok(*ADD, "--ceiling", "50.00")
    assert "there is a pot Harvest already" in cli.complaint(*ADD, "--ceiling", "50.00")
    assert "jackpot list" in cli.complaint("jackpot", "show", "Nobody")


@pytest.mark.slow
def test_settings_are_changed_and_a_ceiling_only_rises_once_it_is_fed(cli: Cli) -> None:
    cli.ok(*ADD, "--ceiling", FAR)
    lower = cli.json("jackpot", "set", "Harvest", "ceiling=4000000.00", "share_bp=200", "casinos=Aurora")
    assert (lower["ceiling"], lower["share_bp"], lower["casinos"], lower["round"]) == ("4000000.00", 200, ["Aurora"], 2)
    play(cli, 100)
    assert cli.json("jackpot", "show", "Harvest")["amount"] == "10.02"
    assert "only rise" in cli.complaint("jackpot", "set", "Harvest", "ceiling=3999999.99")
    raised = cli.json("jackpot", "set", "Harvest", "ceiling=6000000.00", "casinos=all")
    assert (raised["ceiling"], raised["round_ceiling"], raised["casinos"]) == ("6000000.00", "4000000.00", "all")
    assert "no setting of a pot" in cli.complaint("jackpot", "set", "Harvest", "name=Other")
    assert "basis points" in cli.complaint("jackpot", "set", "Harvest", "share_bp=1.5")


@pytest.mark.slow
def test_freeze_and_unfreeze(cli: Cli) -> None:
    cli.ok(*ADD, "--ceiling", FAR)
    assert cli.json("jackpot", "freeze", "Harvest")["state"] == "frozen"
    assert "frozen already" in cli.complaint("jackpot", "freeze", "Harvest")
    play(cli, 10_000)
    assert cli.json("jackpot", "unfreeze", "Harvest")["state"] == "open"
    play(cli, 10_000)
    assert cli.json("jackpot", "show", "Harvest")["amount"] == "11.00"


@pytest.mark.slow
def test_a_round_that_was_won_is_verified_by_anybody(cli: Cli, tmp_path: Path) -> None:
    cli.ok(*ADD, "--ceiling", "10.50")
    assert "no round of pot Harvest has ended" in cli.complaint("jackpot", "verify", "Harvest")
    play(cli, *[1_000] * 6)
    told = cli.json("jackpot", "verify", "Harvest")
    assert told["holds"]
    assert told["round"] >= 1
    assert "It holds" in cli.ok("jackpot", "verify", "Harvest", "--round", "1").out
    proof: dict[str, Any] = cli.json("jackpot", "show", "Harvest", "--round", "1")
    assert proof["payment"] == "created", "owed, for the hub that serves"
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof))
    assert cli.ok("jackpot", "verify", "--proof", str(file), CROUPIER_HOME="/nowhere").out.count("It holds") == 1
    file.write_text(json.dumps({**proof, "won_by": 1}))
    forged = cli("jackpot", "verify", "--proof", str(file))
    assert (forged.code, "bet 1 was paid" in forged.out) == (1, True)
    file.write_text("[]")
    assert "no round of a pot" in cli.complaint("jackpot", "verify", "--proof", str(file))


@pytest.mark.slow
def test_an_open_round_has_no_proof_yet(cli: Cli) -> None:
    cli.ok(*ADD, "--ceiling", "50.00")
    assert "has not ended" in cli.complaint("jackpot", "verify", "Harvest", "--round", "1")
    assert "is in round 1" in cli.complaint("jackpot", "verify", "Harvest", "--round", "2")
    cli.complaint("jackpot", "verify", code=2)


@pytest.mark.slow
def test_the_report_counts_wins_and_not_shares(cli: Cli) -> None:
    cli.ok(*ADD, "--ceiling", "10.50")
    play(cli, *[1_000] * 6)

    async def wins(world: World) -> int:
        return int(await world.db.fetchval("select sum(win) from bets where origin = 'jackpot'"))

    won = cli.world(wins)
    report = cli.json("ggr", "--from", "2020-01-01", "--to", "2100-01-01")
    rows = report if isinstance(report, list) else report["rows"]
    assert [row["jackpots"] for row in rows] == [f"{won // 100}.{won % 100:02}"]

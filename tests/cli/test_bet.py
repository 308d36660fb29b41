"""`croupier bet`: a person ends a game that nobody else ends."""

from __future__ import annotations

import pytest

from croupier.kit.seal import Sealer, load_or_make_key
from tests.cli.conftest import Cli
from tests.views.world import Kept, World

WHY = ("--reason", "the studio is gone", "--author", "mia")


def on(cli: Cli) -> Kept:
    story = cli.story()
    story.on()
    cli.keep(story)
    return story


@pytest.mark.slow
def test_a_game_is_returned(cli: Cli) -> None:
    story = on(cli)
    done = cli.json("bet", "return", str(story.subject_id), *WHY)
    assert done == {
        "BetId": story.subject_id, "state": "returned", "stake": "10.00", "win": None, "currency": "EUR",
    }  # fmt: skip
    trace = cli.json("trace", str(story.subject_id))
    last = trace["moments"][-1]
    assert (last["event"], last["author"], last["detail"]["reason"]) == ("refunded_by_person", "mia", WHY[1])
    assert [(c["slot"], c["lease_owner"]) for c in trace["calls"]] == [("bet_return", None)]
    assert "only a bet that is on" in cli.complaint("bet", "return", str(story.subject_id), *WHY)


def test_a_game_is_settled_by_the_name_its_provider_gave_it(cli: Cli) -> None:
    story = on(cli)
    done = cli.json("bet", "settle", f"Fable:b-{story.subject_id}", "--win", "7.5", *WHY)
    assert (done["BetId"], done["state"], done["win"]) == (story.subject_id, "settled", "7.50")
    assert "only a bet that is on" in cli.complaint("bet", "settle", str(story.subject_id), "--win", "1", *WHY)


@pytest.mark.parametrize(("win", "says"), [("1.005", "more decimals"), ("much", "digits")])
def test_a_win_outside_the_grammar_is_refused(cli: Cli, win: str, says: str) -> None:
    story = on(cli)
    assert says in cli.complaint("bet", "settle", str(story.subject_id), "--win", win, *WHY)


def test_what_is_no_bet_is_told(cli: Cli) -> None:
    assert "there is no bet" in cli.complaint("bet", "return", "5", *WHY)
    assert "there is no bet" in cli.complaint("bet", "return", "Fable:nothing", *WHY)
    assert "Missing option '--win'" in cli.complaint("bet", "settle", "5", *WHY, code=2)


@pytest.mark.slow
def test_a_name_that_fits_two_bets_moves_no_money(cli: Cli) -> None:
    """Provider `Fable` with the betId `x:1`, and provider `Fable:x` with the betId `1`: both are `Fable:x:1`."""
    one, other = on(cli), on(cli)
    # The home is shared with other tests: what they check of it must find a provider in order.
    sealed = Sealer(load_or_make_key(cli.home / "key")).seal(b"a secret of the studio", "providers.secret.60")

    async def name_alike(world: World) -> None:
        await world.db.execute(
            "insert into providers (provider_id, counterparty_id, name, protocol, url, secret, created_ms)"
            " values (60, 'cp60', 'Fable:x', 'betcore_v1', 'http://studio.test', $1, 0)",
            sealed,
        )
        await world.break_by(f"update bets set bet_ref = 'x:1' where bet_id = {one.subject_id}")
        await world.break_by(f"update bets set bet_ref = '1', provider_id = 60 where bet_id = {other.subject_id}")

    cli.world(name_alike)
    for words in (
        ("bet", "settle", "Fable:x:1", "--win", "7.5", *WHY),
        ("bet", "return", "Fable:x:1", *WHY),
        ("payment", "retry", "Fable:x:1:stake", *WHY),
        ("payment", "give-up", "Fable:x:1:stake", *WHY),
        ("trace", "Fable:x:1"),
    ):
        complaint = cli.complaint(*words)
        assert str(one.subject_id) in complaint
        assert str(other.subject_id) in complaint
    assert {cli.json("trace", str(s.subject_id))["subject"]["state"] for s in (one, other)} == {"on"}


def test_a_cashback_is_no_bet(cli: Cli) -> None:
    story = cli.story()
    cli.keep(story.cashback())
    assert f"there is no bet {story.subject_id}" in cli.complaint("bet", "return", str(story.subject_id), *WHY)


@pytest.mark.parametrize("option", ["--reason", "--author"])
@pytest.mark.parametrize("words", ["", "  ", "y" * 501])
@pytest.mark.one_in(3)
def test_nobody_decides_without_a_word(cli: Cli, option: str, words: str) -> None:
    story = on(cli)
    told = {"--reason": "the studio is gone", "--author": "mia", option: words}
    options = [word for pair in told.items() for word in pair]
    complaint = cli.complaint("bet", "return", str(story.subject_id), *options, code=2)
    assert option in complaint
    assert cli.json("trace", str(story.subject_id))["subject"]["state"] == "on"
